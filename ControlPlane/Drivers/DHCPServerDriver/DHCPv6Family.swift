// SPDX-License-Identifier: Apache-2.0
// The messages of a relayed DHCPv6 client (RFC 8415 18.2, 19): each lease is an association of its own, each message in one
// Relay-forward, with what an access node would have added of the line.

import BNGCore
import DHCPv6
import LeaseClient

struct DHCPv6Family: LeaseFamily {
    let keepsTransaction = false
    let transactions = UInt32.min...0xff_ffff

    func encode(_ request: Request, _ order: LeaseOrder, transaction: UInt32, seconds: UInt16) -> [UInt8]? {
        guard let client = DUID(order.clientID), case .v6(let link) = order.link else { return nil }
        guard let (type, server, lease) = Self.contents(request, order) else { return nil }
        var options: [DHCPv6Option] = [.clientID(client)]
        if let server { options.append(.serverID(server)) }
        options.append(.elapsedTime(UInt16(clamping: UInt32(seconds) * 100)))
        if type == .solicit { options.append(.rapidCommit) }
        options.append(
            .association(
                IdentityAssociation(order.association, id: order.key.iaid, options: lease.map { [.lease($0)] } ?? [])))
        let hop = DHCPv6RelayHop(linkAddress: link, peerAddress: .linkLocal(of: order.mac), options: order.relayOptions)
        return DHCPv6Codec.encode(
            DHCPv6Packet(DHCPv6Message(type, transactionID: transaction, options: options), hops: [hop]))
    }

    private static func contents(
        _ request: Request, _ order: LeaseOrder
    ) -> (DHCPv6MessageType, DUID?, DHCPv6Lease?)? {
        switch request {
        case .discover(let wish): return (.solicit, nil, order.hint(wish))
        case .request(let resource, let server): return DUID(server).map { (.request, $0, order.lease(resource)) }
        case .renew(let resource, let server): return DUID(server).map { (.renew, $0, order.lease(resource)) }
        case .rebind(let resource): return (.rebind, nil, order.lease(resource))
        // RFC 8415 18.2.7: a Release names its server. One that is not known lets the lease lapse.
        case .release(let resource, let server):
            return server.flatMap { DUID($0) }.map { (.release, $0, order.lease(resource)) }
        // RFC 8415 18.2.8 knows no declined prefixes.
        case .decline(let resource, let server):
            let type = order.key.kind == .delegation ? DHCPv6MessageType.release : .decline
            return DUID(server).map { (type, $0, order.lease(resource)) }
        }
    }

    func decode(_ bytes: [UInt8]) -> (any ServerMessage)? {
        guard let packet = try? DHCPv6Codec.decode(bytes.span), packet.isRelayReply, packet.hops.count == 1 else {
            return nil
        }
        return DHCPv6Answer(message: packet.message)
    }
}

private struct DHCPv6Answer: ServerMessage {
    let message: DHCPv6Message
    var transaction: UInt32 { self.message.transactionID }

    func answer(to order: LeaseOrder) -> Answer? {
        guard self.message.clientID?.bytes == order.clientID, let server = self.message.serverID?.bytes else {
            return nil
        }
        let association = self.message.associations.first {
            $0.kind == order.association && $0.id == order.key.iaid
        }
        let lease = association?.leases.first { $0.valid > 0 && $0.preferred <= $0.valid && order.accepts($0.resource) }
        switch self.message.type {
        case .advertise:
            guard let lease else { return .refused }
            return .offered(lease.resource.prefixOfAny, server: server)
        case .reply:
            guard let association, let lease else {
                // A status in place of the lease, of the association or of all; a Reply that says nothing is none.
                let status = association?.status ?? self.status
                let isWorthless = association?.leases.isEmpty == false
                return isWorthless || status ?? DHCPv6StatusCode.success != DHCPv6StatusCode.success ? .refused : nil
            }
            return .granted(
                GrantedLease(
                    resource: lease.resource.prefixOfAny, server: server, lifetime: lease.valid,
                    renewal: association.renewal == 0 ? nil : association.renewal,
                    rebinding: association.rebinding == 0 ? nil : association.rebinding))
        default: return nil
        }
    }

    private var status: UInt16? {
        self.message.options.lazy.compactMap { if case .status(let code, _) = $0 { code } else { nil } }.first
    }
}

extension LeaseOrder {
    fileprivate var association: IdentityAssociation.Kind { self.key.kind == .delegation ? .delegation : .nonTemporary }

    /// RFC 6939, RFC 4649 (enterprise number of the Broadband Forum), RFC 8415 21.18.
    fileprivate var relayOptions: [DHCPv6Option] {
        var options: [DHCPv6Option] = [.interfaceID(self.circuitID)]
        if !self.remoteID.isEmpty { options.append(.remoteID(enterprise: 3_561, self.remoteID)) }
        return options + [.other(79, [0, 1] + self.mac.bytes)]
    }

    fileprivate func lease(_ resource: IPPrefix) -> DHCPv6Lease? {
        guard case .v6(let prefix) = resource else { return nil }
        let resource: DHCPv6Lease.Resource = self.key.kind == .delegation ? .prefix(prefix) : .address(prefix.address)
        return DHCPv6Lease(resource, preferred: 0, valid: 0)
    }

    /// What the client would like; of a prefix, at least its length (RFC 8168).
    fileprivate func hint(_ wish: IPPrefix?) -> DHCPv6Lease? {
        if let wish { return self.lease(wish) }
        guard self.key.kind == .delegation, let length = self.length else { return nil }
        return DHCPv6Lease(.prefix(IPv6Prefix(holding: .zero, length: length)), preferred: 0, valid: 0)
    }

    /// Of the kind, and of the length, that was asked for.
    fileprivate func accepts(_ resource: DHCPv6Lease.Resource) -> Bool {
        switch resource {
        case .address(let address): return self.key.kind == .address && address.isRoutableUnicast
        case .prefix(let prefix):
            return self.key.kind == .delegation && prefix.length == self.length && prefix.address.isRoutableUnicast
        }
    }
}

extension DHCPv6Lease.Resource {
    fileprivate var prefixOfAny: IPPrefix {
        switch self {
        case .prefix(let prefix): return .v6(prefix)
        case .address(let address): return .v6(IPv6Prefix(holding: address, length: 128))
        }
    }
}

extension IPv6Address {
    /// Modified EUI-64 (RFC 4291 appendix A): the client's own is not always known here.
    fileprivate static func linkLocal(of mac: MACAddress) -> IPv6Address {
        let mac = mac.bytes
        let bytes = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]]
        return IPv6Address(bytes as [UInt8]) ?? .zero
    }
}
