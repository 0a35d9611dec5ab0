// SPDX-License-Identifier: Apache-2.0
// Building Advertise and Reply (RFC 8415 18.3.9, 18.3.10).

import BNGCore

extension DHCPv6ServerMachine {
    private func head(_ type: DHCPv6MessageType, to request: DHCPv6Message) -> DHCPv6Message {
        var message = DHCPv6Message(type, transactionID: request.transactionID)
        if let client = request.clientID { message.options.append(.clientID(client)) }
        message.options.append(.serverID(self.configuration.serverID))
        return message
    }

    /// A Reply that is a status and nothing else.
    func status(_ code: UInt16, to request: DHCPv6Message) -> DHCPv6Message {
        var message = self.head(.reply, to: request)
        message.options.append(.status(code, text: []))
        return message
    }

    func information(for request: DHCPv6Message) -> DHCPv6Message {
        var message = self.head(.reply, to: request)
        message.options += self.requested(by: request)
        return message
    }

    /// To Release and Decline: success, and NoBinding for each association nobody knows.
    func acknowledgement(of request: DHCPv6Message, _ strangers: [DHCPv6AssociationKey]) -> DHCPv6Message {
        var message = self.status(DHCPv6StatusCode.success, to: request)
        message.options += strangers.map { key in
            .association(
                IdentityAssociation(
                    key.kind, id: key.id, options: [.status(DHCPv6StatusCode.noBinding, text: [])]))
        }
        return message
    }

    /// An answer with every association of the request, in its order, each once.
    func reply(_ type: DHCPv6MessageType, to pending: Pending) -> DHCPv6Message {
        var message = self.head(type, to: pending.request)
        if type == .advertise, self.configuration.preference > 0 {
            message.options.append(.preference(self.configuration.preference))
        }
        if pending.purpose == .rapidCommit { message.options.append(.rapidCommit) }
        var outcomes = pending.outcomes
        for association in pending.request.associations {
            let key = DHCPv6AssociationKey(association.kind, association.id)
            guard let outcome = outcomes.removeValue(forKey: key) else { continue }
            message.options.append(
                .association(self.answer(association, outcome, isExtension: pending.purpose == .extend)))
        }
        message.options += self.requested(by: pending.request)
        return message
    }

    private func answer(
        _ association: IdentityAssociation, _ outcome: Outcome, isExtension: Bool
    ) -> IdentityAssociation {
        var answer = IdentityAssociation(association.kind, id: association.id)
        // 18.3.4: of what the client has and should not, it is told so.
        let others = isExtension ? association.leases.map(\.resource) : []
        switch outcome {
        case .binding(let resource):
            answer.renewal = self.configuration.renewal
            answer.rebinding = self.configuration.rebinding
            answer.options.append(
                .lease(
                    DHCPv6Lease(
                        resource, preferred: self.configuration.preferred, valid: self.configuration.valid)))
            answer.options += others.filter { $0 != resource }.map(Self.worthless)
        case .refused(let code): answer.options.append(.status(code, text: []))
        case .worthless: answer.options += others.map(Self.worthless)
        }
        return answer
    }

    private static func worthless(_ resource: DHCPv6Lease.Resource) -> DHCPv6Option {
        .lease(DHCPv6Lease(resource, preferred: 0, valid: 0))
    }

    private func requested(by request: DHCPv6Message) -> [DHCPv6Option] {
        let wanted = Set(request.requestedOptions ?? [])
        return self.configuration.options.filter { wanted.contains($0.code) }
    }

    /// The options of the Reply to a Renew of just these bindings, as a data plane that knows them sends it; nil if they do not fit
    /// a message.
    public static func renewalOptions(
        client: DUID, bindings: [DHCPv6Binding], requested: [UInt16], _ configuration: DHCPv6Configuration
    ) -> [UInt8]? {
        let machine = DHCPv6ServerMachine(configuration: configuration, bound: bindings)
        var renew = DHCPv6Message(.renew, transactionID: 0, options: [.clientID(client), .optionRequest(requested)])
        renew.options += bindings.map { .association(IdentityAssociation($0.key.kind, id: $0.key.id)) }
        let pending = Pending(
            request: renew, purpose: .extend,
            outcomes: Dictionary(
                bindings.map { ($0.key, .binding($0.resource)) }, uniquingKeysWith: { first, _ in first }))
        // Behind type and transaction id.
        return DHCPv6Codec.encode(DHCPv6Packet(machine.reply(.reply, to: pending))).map { Array($0.dropFirst(4)) }
    }
}
