// SPDX-License-Identifier: Apache-2.0
// The messages of a relayed DHCPv4 client (RFC 2131 4.4, RFC 3046): everything goes through our relay address, so that the server
// chooses the same subnet for a renewal as for the lease, and answers to where we listen.

import BNGCore
import DHCPv4
import LeaseClient

struct DHCPv4Family: LeaseFamily {
    /// giaddr.
    let relay: IPv4Address
    let keepsTransaction = true
    let transactions = UInt32.min...UInt32.max

    func encode(_ request: Request, _ order: LeaseOrder, transaction: UInt32, seconds: UInt16) -> [UInt8]? {
        var message = DHCPv4Message(
            op: .request, hops: 1, xid: transaction, secs: seconds, relayAddress: self.relay, clientMAC: order.mac)
        switch request {
        case .discover(let wish):
            message.add(.discover)
            if let address = wish?.address4 { message.options.append(DHCPv4OptionCode.requestedAddress, address) }
        case .request(let resource, let server):
            guard let address = resource.address4 else { return nil }
            message.add(.request)
            message.options.append(DHCPv4OptionCode.requestedAddress, address)
            message.options.append(DHCPv4OptionCode.serverIdentifier, server)
        // RFC 2131 4.3.2: neither server nor option 50 in an extension.
        case .renew(let resource, _), .rebind(let resource):
            guard let address = resource.address4 else { return nil }
            message.add(.request)
            message.clientAddress = address
        case .release(let resource, let server):
            guard let address = resource.address4 else { return nil }
            message.add(.release)
            message.clientAddress = address
            if let server { message.options.append(DHCPv4OptionCode.serverIdentifier, server) }
        case .decline(let resource, let server):
            guard let address = resource.address4 else { return nil }
            message.add(.decline)
            message.options.append(DHCPv4OptionCode.requestedAddress, address)
            message.options.append(DHCPv4OptionCode.serverIdentifier, server)
        }
        if !order.clientID.isEmpty { message.options.append(DHCPv4OptionCode.clientIdentifier, order.clientID) }
        switch request {
        case .release, .decline: break
        // What we look at: lease time, T1, T2, DNS.
        default: message.options.append(DHCPv4OptionCode.parameterRequestList, [1, 3, 6, 51, 58, 59])
        }
        var information = RelayAgentInformation()
        (information.circuitID, information.remoteID) = (order.circuitID, order.remoteID)
        if case .v4(let link) = order.link { information.linkSelection = link }
        message.options.append(DHCPv4OptionCode.relayAgentInformation, information.encoded)
        return DHCPv4Codec.encode(message)
    }

    func decode(_ bytes: [UInt8]) -> (any ServerMessage)? {
        guard let message = try? DHCPv4Codec.decode(bytes.span), message.op == .reply else { return nil }
        return DHCPv4Reply(message: message)
    }
}

private struct DHCPv4Reply: ServerMessage {
    let message: DHCPv4Message
    var transaction: UInt32 { self.message.xid }

    func answer(to order: LeaseOrder) -> Answer? {
        guard self.message.clientMAC == order.mac, let type = self.message.type else { return nil }
        if type == .nak { return .refused }
        let address = self.message.yourAddress
        guard address.isUnicastHost, let server = self.message.address(DHCPv4OptionCode.serverIdentifier),
            let resource = IPPrefix(.v4(address), length: 32)
        else { return nil }
        switch type {
        case .offer: return .offered(resource, server: server.bytes)
        case .ack:
            guard let lifetime = self.number(DHCPv4OptionCode.leaseTime) else { return nil }
            var lease = GrantedLease(
                resource: resource, server: server.bytes, lifetime: lifetime,
                renewal: self.number(DHCPv4OptionCode.renewalTime),
                rebinding: self.number(DHCPv4OptionCode.rebindingTime))
            lease.dns = self.nameServers
            return .granted(lease)
        default: return nil
        }
    }

    private func number(_ code: UInt8) -> UInt32? { self.message.address(code)?.rawValue }

    /// The first three; a list of another length than a whole number of addresses is none.
    private var nameServers: [IPAddress] {
        guard let value = self.message.options[DHCPv4OptionCode.nameServers].map(Array.init), value.count % 4 == 0
        else {
            return []
        }
        return stride(from: 0, to: min(value.count, 12), by: 4)
            .compactMap { IPv4Address(value[$0..<$0 + 4]) }.filter(\.isUnicastHost).map { .v4($0) }
    }
}

extension DHCPv4Message {
    fileprivate mutating func add(_ type: DHCPv4MessageType) {
        self.options.append(DHCPv4OptionCode.messageType, [type.rawValue])
    }
}

extension IPPrefix {
    fileprivate var address4: IPv4Address? {
        if case .v4(let prefix) = self { return prefix.address }
        return nil
    }
}
