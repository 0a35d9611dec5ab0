// SPDX-License-Identifier: Apache-2.0
// What a client's message asks for, once it is one a server takes (RFC 8415 16).

import BNGCore

extension DHCPv6ServerMachine {
    mutating func received(_ message: DHCPv6Message, _ isUnicast: Bool, _ actions: inout ActionBuffer<Action>) {
        if let problem = self.problem(with: message, isUnicast) { return actions.append(.count(problem)) }
        if isUnicast {
            actions.append(.count(.useMulticast))
            return actions.append(.send(self.status(DHCPv6StatusCode.useMulticast, to: message)))
        }
        switch message.type {
        case .solicit:
            let isRapid = message.wantsRapidCommit && self.configuration.allowsRapidCommit
            self.gather(message, isRapid ? .rapidCommit : .advertise, &actions)
        case .request: self.gather(message, .commit, &actions)
        case .renew, .rebind: self.gather(message, .extend, &actions)
        case .confirm: self.confirm(message, &actions)
        case .informationRequest: actions.append(.send(self.information(for: message)))
        case .release: self.give(back: message, &actions)
        case .decline: self.give(back: message, &actions)
        case .advertise, .reply, .reconfigure: actions.append(.count(.malformed))
        }
    }

    /// nil: the message is to be answered.
    private func problem(with message: DHCPv6Message, _ isUnicast: Bool) -> Counter? {
        switch message.type {
        case .solicit, .confirm, .rebind:
            // 16.2, 16.5, 16.7; and 16: to a group only.
            return message.clientID == nil || message.serverID != nil || isUnicast ? .malformed : nil
        case .request, .renew, .release, .decline:
            guard message.clientID != nil, let server = message.serverID else { return .malformed }
            return server == self.configuration.serverID ? nil : .otherServer
        case .informationRequest:
            // 16.12.
            if isUnicast || !message.associations.isEmpty { return .malformed }
            return message.serverID ?? self.configuration.serverID == self.configuration.serverID ? nil : .otherServer
        case .advertise, .reply, .reconfigure: return .malformed
        }
    }

    // MARK: Confirm (18.3.3)

    private func confirm(_ message: DHCPv6Message, _ actions: inout ActionBuffer<Action>) {
        let addresses = message.associations.flatMap(\.leases).compactMap { lease in
            if case .address(let address) = lease.resource { address } else { nil }
        }
        // Silence where nothing was asked, or nothing is known of the link.
        guard !addresses.isEmpty, !self.configuration.onLink.isEmpty else { return actions.append(.count(.silent)) }
        let isOnLink = addresses.allSatisfy { address in
            self.configuration.onLink.contains { $0.contains(address) }
        }
        actions.append(
            .send(self.status(isOnLink ? DHCPv6StatusCode.success : DHCPv6StatusCode.notOnLink, to: message)))
    }

    // MARK: Release and Decline (18.3.7, 18.3.8)

    private mutating func give(back message: DHCPv6Message, _ actions: inout ActionBuffer<Action>) {
        guard self.pending == nil else { return actions.append(.count(.busy)) }
        var (given, strangers): ([DHCPv6Binding], [DHCPv6AssociationKey]) = ([], [])
        for association in message.associations {
            let key = DHCPv6AssociationKey(association.kind, association.id)
            guard let resource = self.bound[key] else {
                if !given.contains(where: { $0.key == key }) { strangers.append(key) }
                continue
            }
            // A prefix cannot be in use by another host: RFC 8415 18.2.8 declines addresses only.
            guard message.type == .release || key.kind != .delegation,
                association.leases.contains(where: { $0.resource == resource })
            else { continue }
            self.bound[key] = nil
            given.append(DHCPv6Binding(key, resource))
        }
        if !given.isEmpty { actions.append(message.type == .release ? .released(given) : .declined(given)) }
        actions.append(.send(self.acknowledgement(of: message, strangers)))
    }
}
