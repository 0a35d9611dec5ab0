// SPDX-License-Identifier: Apache-2.0
// What the DHCPv6 machine asks for: addresses, prefixes, their confirmation, timers, messages.

import Addressing
import BNGCore
import DHCPv6
import Ethernet
import Fleet
import NIOCore
import Subscribers

extension LineShard {
    func receive(
        _ packet: DHCPv6Packet, isUnicast: Bool, from frame: IPv6Frame, _ entry: LineEntry, _ policy: IPv6Policy
    ) {
        let exchange: DHCPv6Exchange
        if let known = entry.dhcpv6 {
            exchange = known
            (exchange.request, exchange.source) = (packet, frame.source)
            (exchange.origin, exchange.link) = (frame.origin, frame.link)
        } else {
            exchange = self.exchange(for: packet, from: frame, entry, policy)
            entry.dhcpv6 = exchange
        }
        self.perform(entry, .dhcpv6(.received(packet.message, isUnicast: isUnicast)))
        self.rest(entry)
    }

    private func exchange(
        for packet: DHCPv6Packet, from frame: IPv6Frame, _ entry: LineEntry, _ policy: IPv6Policy
    ) -> DHCPv6Exchange {
        let session = entry.session.flatMap { $0.isEnding ? nil : $0 }
        let details = session?.intendedIPv6
        let profile = entry.session.flatMap { self.world.profile(of: $0.record) }
        // Another client on the line begins anew; what the one before it held goes when this one is confirmed.
        let isKnown = details?.isHeld(by: packet.message.clientID) ?? false
        let machine = DHCPv6ServerMachine(
            configuration: self.configuration(policy, details, profile, link: frame.link),
            bound: isKnown ? details?.bindings.map(\.machineBinding) ?? [] : [])
        return DHCPv6Exchange(machine: machine, request: packet, from: frame)
    }

    private func configuration(
        _ policy: IPv6Policy, _ details: IPv6Details?, _ profile: ServiceProfile?, link: IPv6Address? = nil
    ) -> DHCPv6Configuration {
        var configuration = policy.dhcpv6
        if let servers = profile?.ipv6.dns, !servers.isEmpty {
            configuration.options.removeAll { $0.code == DHCPv6OptionCode.nameServers }
            configuration.options.append(.nameServers(servers))
        }
        let name = profile?.ipv6.addressPool ?? self.world.addressPool(policy, link: link)
        let pool = name.flatMap { self.world.prefixPools[$0] }
        configuration.onLink = (pool?.prefixes ?? []) + (details?.link.map { [$0.prefix] } ?? [])
        return configuration
    }

    /// Between exchanges the record says it all.
    private func rest(_ entry: LineEntry) {
        guard let exchange = entry.dhcpv6, exchange.isQuiet, exchange.declined.isEmpty else { return }
        exchange.offerTimer?.cancel()
        entry.dhcpv6 = nil
    }

    func carryOut(_ action: DHCPv6ServerMachine.Action, _ entry: LineEntry) {
        guard let exchange = entry.dhcpv6 else { return }
        switch action {
        case .requestAddress(let key, let wish, let exact):
            let prefix = wish.map { IPv6Prefix(holding: $0, length: 128) }
            self.serve(entry, .dhcpv6(.init(key: key, wish: prefix, isExact: exact)))
        case .requestPrefix(let key, let wish, let exact):
            self.serve(entry, .dhcpv6(.init(key: key, wish: wish, isExact: exact)))
        case .withdraw(let bindings): self.withdraw(bindings, exchange, entry)
        case .confirm(let bindings): self.confirm(bindings, exchange, entry)
        case .released(let bindings):
            self.count(.released)
            self.drop(bindings, .userRequest, exchange, entry)
        case .declined(let bindings):
            self.count(.declined)
            exchange.declined.formUnion(bindings.map(\.resource.prefix))
            self.drop(bindings, .addressDeclined, exchange, entry)
        case .send(let message): self.send(message, exchange, entry)
        case .startTimer(.offer, let delay): self.startOfferTimer(exchange, entry, delay)
        case .cancelTimer(.offer):
            exchange.offerTimer?.cancel()
            exchange.offerTimer = nil
        case .count(let counter): self.count(PlaneCounter(counter))
        }
    }

    // MARK: Resources

    /// Asks a pool for what an association is to hold.
    func ask(_ question: DHCPv6Exchange.Question, _ entry: LineEntry) {
        guard let id = entry.session?.record.id else { return }
        let key = question.key
        let isDelegation = key.kind == .delegation
        let held = entry.session?.intendedIPv6?.bindings.contains { $0.isDelegation == isDelegation } == true
        let offered = entry.dhcpv6?.offered.keys.contains { $0.kind == key.kind } == true
        let line = entry.line
        self.takePrefix(
            isDelegation ? .delegation : .address, entry, iaid: key.id, wish: question.wish, isExact: question.isExact,
            isFirst: !held && !offered
        ) { result in
            guard let entry = self.byID[id], let exchange = entry.dhcpv6, entry.session?.isEnding == false else {
                if case .success(let resource) = result { self.withdraw(resource, session: id, line: line) }
                return
            }
            switch result {
            case .success(let resource):
                exchange.offered[key] = resource
                let prefix = resource.prefix
                self.perform(
                    entry,
                    .dhcpv6(.granted(DHCPv6Binding(key, isDelegation ? .prefix(prefix) : .address(prefix.address)))))
            case .failure(let denial):
                self.perform(entry, .dhcpv6(.denied(key, DHCPv6ServerMachine.Denial(denial.reason))))
                self.abandonIfQuiet(entry)
            }
        }
    }

    private func withdraw(_ bindings: [DHCPv6Binding], _ exchange: DHCPv6Exchange, _ entry: LineEntry) {
        let held = Set(entry.session?.intendedIPv6?.resources ?? [])
        for binding in bindings {
            guard let resource = exchange.offered.removeValue(forKey: binding.key), !held.contains(resource),
                let id = entry.session?.record.id
            else { continue }
            self.withdraw(resource, session: id, line: entry.line)
        }
        self.abandonIfQuiet(entry)
    }

    private func confirm(_ bindings: [DHCPv6Binding], _ exchange: DHCPv6Exchange, _ entry: LineEntry) {
        guard let session = entry.session, !session.isEnding else {
            return self.perform(entry, .dhcpv6(.confirmationFailed))
        }
        var details = session.intendedIPv6 ?? IPv6Details()
        let known = details.bindings
        details.bindings = bindings.compactMap { binding in
            let held = known.first { $0.machineBinding == binding }?.resource
            return (exchange.offered[binding.key] ?? held).map { resource in
                .init(isDelegation: binding.key.kind == .delegation, iaid: binding.key.id, resource: resource)
            }
        }
        exchange.awaited = Set(bindings)
        let message = exchange.request.message
        details.clientID = message.clientID?.bytes ?? details.clientID
        details.requestedOptions = message.requestedOptions ?? []
        details.origin = exchange.origin
        self.confirm(details, entry)
    }

    /// What the client's message is to confirm is in force; another change of the half may have come first.
    func hasWhatClientAwaits(_ entry: LineEntry) -> Bool {
        guard let exchange = entry.dhcpv6 else { return false }
        let held = Set(entry.session?.record.ipv6?.bindings.map(\.machineBinding) ?? [])
        return exchange.awaited.isSubset(of: held)
    }

    /// The client holds these no more.
    private func drop(
        _ bindings: [DHCPv6Binding], _ cause: TerminateCause, _ exchange: DHCPv6Exchange, _ entry: LineEntry
    ) {
        for binding in bindings { exchange.offered[binding.key] = nil }
        var details = entry.session?.intendedIPv6
        details?.bindings.removeAll { bindings.contains($0.machineBinding) }
        self.perform(entry, .session(.dropIPv6(keeping: details, cause, at: self.world.utcNow())))
    }

    // MARK: Messages

    private func send(_ message: DHCPv6Message, _ exchange: DHCPv6Exchange, _ entry: LineEntry) {
        guard let path = self.replyPath(entry), let policy = self.world.configuration.ipv6[entry.line.accessDomain]
        else { return }
        let isRelayed = !exchange.request.hops.isEmpty
        let reply = isRelayed ? exchange.request.reply(message) : DHCPv6Packet(message)
        guard let payload = DHCPv6Codec.encode(reply) else { return }
        self.count(message.type == .advertise ? .dhcpv6Advertises : .dhcpv6Replies)
        let destination = (exchange.source, isRelayed ? IPv6Frame.serverPort : IPv6Frame.clientPort)
        // A relay that routes may speak from afar.
        let own = exchange.source.isLinkLocal ? policy.linkLocal : policy.address ?? policy.linkLocal
        let frame = path.frame(pppoeID: entry.line.pppoeID) { frame in
            encodeUDPv6(
                from: (own, IPv6Frame.serverPort), to: destination, payload: payload, into: &frame)
        }
        // What is promised is in force first.
        var requires: SessionRequirement?
        if message.type == .reply, let session = entry.session, session.isActive {
            requires = SessionRequirement(id: session.record.id, generation: session.record.generation)
        }
        if message.associations.isEmpty { requires = nil }
        self.world.link.inject(node: path.node, port: path.port, frame: frame, requires: requires)
        // The offers that were taken are the record's now.
        if message.type == .reply {
            let held = Set(entry.session?.record.ipv6?.resources ?? [])
            exchange.offered = exchange.offered.filter { !held.contains($0.value) }
        }
        self.rest(entry)
    }

    private func startOfferTimer(_ exchange: DHCPv6Exchange, _ entry: LineEntry, _ delay: Duration) {
        exchange.offerTimer?.cancel()
        let line = entry.line
        exchange.offerTimer = self.loop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) {
            guard let entry = self.lines[line], let exchange = entry.dhcpv6 else { return }
            exchange.offerTimer = nil
            self.perform(entry, .dhcpv6(.timerFired(.offer)))
            self.rest(entry)
            self.abandonIfQuiet(entry)
            self.forgetIfIdle(entry)
            self.flush()
        }
    }

    /// With what the node answers this client's Renew; nil: it does not, or the client comes through an access node's relay.
    func knownClient(
        _ details: IPv6Details, _ profile: ServiceProfile, _ policy: IPv6Policy, _ record: SessionRecord
    ) -> DHCPv6Attachment? {
        guard let client = DUID(details.clientID), !details.bindings.isEmpty,
            details.bindings.count <= DHCPv6Attachment.associationLimit
        else { return nil }
        let configuration = self.configuration(policy, details, profile)
        let reply = DHCPv6ServerMachine.renewalOptions(
            client: client, bindings: details.bindings.map(\.machineBinding), requested: details.requestedOptions,
            configuration)
        guard let reply, (1...DHCPv6Attachment.replyLimit).contains(reply.count) else { return nil }
        return DHCPv6Attachment(
            clientID: details.clientID, serverID: configuration.serverID.bytes,
            associations: details.bindings.map {
                .init(kind: $0.isDelegation ? .delegation : .nonTemporary, iaid: $0.iaid, resource: $0.resource.prefix)
            },
            replyOptions: reply)
    }
}

extension DHCPv6ServerMachine.Denial {
    init(_ reason: AddressPool.Denial) {
        switch reason {
        case .outsidePool: self = .notOnLink
        case .held, .resting, .reserved: self = .notYours
        case .exhausted, .unknownPool, .notGiven: self = .exhausted
        }
    }
}
