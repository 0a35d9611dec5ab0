// SPDX-License-Identifier: Apache-2.0
// The server's side of one client's DHCPv4 exchange.
//
// Objects: one machine per line. It knows which address was offered or granted and which request waits for an answer; it
// owns no address, no clock and no packet. Addresses come by `requestAddress` and `addressGranted`; a lease is promised only
// after `leaseGranted`, which the driver sends once the lease is durable and installed in the data plane.
//
//   idle ──DISCOVER──► discovering ──granted──► offered ──REQUEST──► granting ──granted──► bound
//     └──REQUEST (no offer known)──► verifying ──granted──────────────┘  ▲                  │
//                                                                        └──REQUEST─────────┘
//
// The data plane answers most renewals of a bound client itself; this machine answers the same messages the same way, so it
// does not matter which of the two a message meets.
//
// Deviations: this server is the only one for its pools, so a DHCPREQUEST for an address it has no record of is granted if the
// address is free and of this line's pool, and met with DHCPNAK if it is not; silence (RFC 2131 4.3.2) is kept for the case
// that nothing can be said, such as a session still being removed.
//
// Supported standards: RFC 2131 (4.1, 4.3.1-4.3.5, 4.4 as the server sees it), RFC 2132, RFC 3046, RFC 3396, RFC 6842.

import BNGCore

/// The DHCPv4 server automaton of one client.
public struct DHCPv4ServerMachine: Machine, Equatable {
    public enum Timer: Equatable, Sendable { case offer }

    public enum Denial: Equatable, Sendable {
        /// No address can be given now; nothing is said to the client.
        case unavailable
        /// Nothing is known that contradicts the client: silence is due.
        case unknown
        /// The address is not this client's: DHCPNAK is due.
        case wrong
    }

    public enum Event: Sendable {
        /// A client message; relay trust has been checked.
        case received(DHCPv4Message)
        case addressGranted(IPv4Address)
        case addressDenied(Denial)
        /// The lease is durable and the data plane holds it.
        case leaseGranted
        case leaseDenied
        /// The session has ended for a reason of its own.
        case leaseEnded
        /// What was offered is not kept any more: its session ended before the client asked for it.
        case offerLost
        case timerFired(Timer)
    }

    public enum Counter: String, Sendable, CaseIterable {
        case malformed, duplicate, otherServer = "other_server", ignored, silent
    }

    public enum Action: Equatable, Sendable {
        /// `exact`: only this address will do, and only if it is or may become this client's.
        case requestAddress(wish: IPv4Address?, exact: Bool)
        /// The offer lapsed or the client chose another server: the reservation may go.
        case withdrawOffer
        /// Make the lease durable, install it, then answer `leaseGranted` or `leaseDenied`.
        case grantLease(IPv4Address)
        case released
        /// Another host uses the address (RFC 2131 4.3.3).
        case declined(IPv4Address)
        case send(DHCPv4Message, DHCPv4Delivery)
        case startTimer(Timer, after: Duration)
        case cancelTimer(Timer)
        case count(Counter)
    }

    private enum State: Equatable, Sendable {
        case idle
        case discovering(DHCPv4Message)
        case offered(IPv4Address)
        case verifying(DHCPv4Message)
        case granting(DHCPv4Message, IPv4Address)
        case bound(IPv4Address)
    }

    private var state: State = .idle
    public var parameters: DHCPv4Parameters
    let offerTime: Duration

    /// - Parameters:
    ///   - parameters: what replies carry.
    ///   - boundTo: the address of a session restored from the store, if any.
    ///   - offerTime: how long an offer stands without a request.
    public init(parameters: DHCPv4Parameters, boundTo: IPv4Address? = nil, offerTime: Duration = .seconds(30)) {
        self.parameters = parameters
        self.offerTime = offerTime
        if let boundTo { self.state = .bound(boundTo) }
    }

    /// Nothing is offered, promised or under way: the machine may be forgotten.
    public var isIdle: Bool { self.state == .idle }

    public mutating func handle(
        _ event: Event, at now: ContinuousClock.Instant, into actions: inout ActionBuffer<Action>
    ) {
        switch (self.state, event) {
        case (_, .received(let message)):
            self.received(message, &actions)
        case (.discovering(let request), .addressGranted(let address)):
            self.offer(address, to: request, &actions)
        case (.discovering, .addressDenied):
            self.state = .idle
            actions.append(.count(.silent))
        case (.verifying(let request), .addressGranted(let address)):
            self.grant(address, to: request, &actions)
        case (.verifying(let request), .addressDenied(let denial)):
            self.refuse(request, denial, &actions)
        case (.granting(let request, let address), .leaseGranted):
            self.acknowledge(request, address, &actions)
        case (.granting, .leaseDenied):
            self.state = .idle
            actions.append(.count(.silent))
        case (.offered, .timerFired(.offer)):
            self.state = .idle
            actions.append(.withdrawOffer)
        case (.offered, .leaseEnded), (.offered, .offerLost):
            self.state = .idle
            actions.append(.cancelTimer(.offer))
        case (_, .leaseEnded):
            self.state = .idle
        case (_, .offerLost), (_, .timerFired), (_, .addressGranted), (_, .addressDenied), (_, .leaseGranted),
            (_, .leaseDenied):
            break  // answers to a question the client has since withdrawn
        }
    }

    private mutating func received(_ message: DHCPv4Message, _ actions: inout ActionBuffer<Action>) {
        guard message.op == .request, let type = message.type else {
            return actions.append(.count(.malformed))
        }
        switch type {
        case .discover: self.discover(message, &actions)
        case .request: self.request(message, &actions)
        case .decline: self.decline(message, &actions)
        case .release: self.release(message, &actions)
        case .inform: self.inform(message, &actions)
        case .offer, .ack, .nak: actions.append(.count(.malformed))
        }
    }

    // MARK: DHCPDISCOVER (RFC 2131 4.3.1)

    private mutating func discover(_ message: DHCPv4Message, _ actions: inout ActionBuffer<Action>) {
        switch self.state {
        case .idle, .verifying:
            self.state = .discovering(message)
            actions.append(
                .requestAddress(wish: message.address(DHCPv4OptionCode.requestedAddress), exact: false))
        case .discovering:
            self.state = .discovering(message)
            actions.append(.count(.duplicate))
        case .offered(let address):
            self.offer(address, to: message, &actions)
        case .bound(let address):
            self.sendLease(.offer, address, to: message, &actions)
        case .granting:
            actions.append(.count(.duplicate))
        }
    }

    private mutating func offer(
        _ address: IPv4Address, to message: DHCPv4Message, _ actions: inout ActionBuffer<Action>
    ) {
        self.state = .offered(address)
        self.sendLease(.offer, address, to: message, &actions)
        actions.append(.startTimer(.offer, after: self.offerTime))
    }

    // MARK: DHCPREQUEST (RFC 2131 4.3.2)

    private mutating func request(_ message: DHCPv4Message, _ actions: inout ActionBuffer<Action>) {
        let kind = DHCPv4RequestKind(message)
        let wanted: IPv4Address
        switch kind {
        case .malformed:
            return actions.append(.count(.malformed))
        case .selecting(let server, _) where server != self.parameters.serverIdentifier:
            return self.choseAnotherServer(&actions)
        case .selecting(_, let address), .initReboot(let address), .renewing(let address):
            wanted = address
        }
        switch self.state {
        case .idle, .discovering, .verifying:
            self.state = .verifying(message)
            actions.append(.requestAddress(wish: wanted, exact: true))
        case .offered(let address) where address == wanted:
            actions.append(.cancelTimer(.offer))
            self.grant(address, to: message, &actions)
        case .granting(_, let address) where address == wanted:
            self.state = .granting(message, address)
            actions.append(.count(.duplicate))
        case .bound(let address) where address == wanted:
            self.grant(address, to: message, &actions)
        case .offered, .granting, .bound:
            self.sendNak(to: message, &actions)
        }
    }

    private mutating func choseAnotherServer(_ actions: inout ActionBuffer<Action>) {
        actions.append(.count(.otherServer))
        guard case .offered = self.state else { return }
        self.state = .idle
        actions.append(.cancelTimer(.offer))
        actions.append(.withdrawOffer)
    }

    private mutating func grant(
        _ address: IPv4Address, to message: DHCPv4Message, _ actions: inout ActionBuffer<Action>
    ) {
        self.state = .granting(message, address)
        actions.append(.grantLease(address))
    }

    private mutating func refuse(
        _ message: DHCPv4Message, _ denial: Denial, _ actions: inout ActionBuffer<Action>
    ) {
        self.state = .idle
        if case .selecting = DHCPv4RequestKind(message) {
            self.sendNak(to: message, &actions)
        } else if denial == .wrong {
            self.sendNak(to: message, &actions)
        } else {
            actions.append(.count(.silent))
        }
    }

    private mutating func acknowledge(
        _ request: DHCPv4Message, _ address: IPv4Address, _ actions: inout ActionBuffer<Action>
    ) {
        self.state = .bound(address)
        self.sendLease(.ack, address, to: request, &actions)
    }

    // MARK: DHCPDECLINE, DHCPRELEASE, DHCPINFORM (RFC 2131 4.3.3-4.3.5)

    private mutating func decline(_ message: DHCPv4Message, _ actions: inout ActionBuffer<Action>) {
        guard message.address(DHCPv4OptionCode.serverIdentifier) == self.parameters.serverIdentifier,
            let address = message.address(DHCPv4OptionCode.requestedAddress)
        else { return actions.append(.count(.malformed)) }
        switch self.state {
        case .bound(address), .offered(address):
            if case .offered = self.state { actions.append(.cancelTimer(.offer)) }
            self.state = .idle
            actions.append(.declined(address))
        default:
            actions.append(.count(.ignored))
        }
    }

    private mutating func release(_ message: DHCPv4Message, _ actions: inout ActionBuffer<Action>) {
        guard message.address(DHCPv4OptionCode.serverIdentifier) == self.parameters.serverIdentifier,
            case .bound(message.clientAddress) = self.state
        else { return actions.append(.count(.ignored)) }
        self.state = .idle
        actions.append(.released)
    }

    private func inform(_ message: DHCPv4Message, _ actions: inout ActionBuffer<Action>) {
        guard message.clientAddress != .zero else { return actions.append(.count(.malformed)) }
        let reply = DHCPv4Message.informAck(to: message, self.parameters)
        actions.append(.send(reply, DHCPv4Delivery(of: .ack, to: message, yourAddress: .zero)))
    }

    // MARK: Replies

    private func sendLease(
        _ type: DHCPv4MessageType, _ address: IPv4Address, to request: DHCPv4Message,
        _ actions: inout ActionBuffer<Action>
    ) {
        let reply = DHCPv4Message.lease(type, to: request, address: address, self.parameters)
        actions.append(.send(reply, DHCPv4Delivery(of: type, to: request, yourAddress: address)))
    }

    private func sendNak(to request: DHCPv4Message, _ actions: inout ActionBuffer<Action>) {
        let reply = DHCPv4Message.nak(to: request, serverIdentifier: self.parameters.serverIdentifier)
        actions.append(.send(reply, DHCPv4Delivery(of: .nak, to: request, yourAddress: .zero)))
    }
}
