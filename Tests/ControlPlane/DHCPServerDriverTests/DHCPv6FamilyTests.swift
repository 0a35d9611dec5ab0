// SPDX-License-Identifier: Apache-2.0
// What is said to a DHCPv6 server for one lease, and what its words mean for it.

import BNGCore
import DHCPv6
import LeaseClient
import Testing

@testable import DHCPServerDriver

private let client: [UInt8] = [0, 3, 0, 1, 2, 0, 0, 0, 0, 1]
private let server: [UInt8] = [0, 3, 0, 1, 2, 0, 0, 0, 0, 9]
private let prefix = IPv6Prefix("2001:db8:4000:100::/56") ?? IPv6Prefix(holding: .zero, length: 56)
private let address = IPv6Address("2001:db8:1:1::77") ?? .zero

private func order(_ kind: LeaseKey.Kind) -> LeaseOrder {
    var order = LeaseOrder(
        key: LeaseKey(session: 1, kind: kind, iaid: 7), group: "g", mac: MACAddress("02:00:00:00:00:01") ?? .zero,
        clientID: client, circuitID: Array("circuit".utf8), remoteID: Array("remote".utf8),
        link: IPAddress("2001:db8:1:1::1") ?? .v4(.zero), minimum: 100)
    order.length = kind == .delegation ? 56 : 128
    return order
}

private func encoded(_ request: LeaseRequest<IPPrefix>, _ order: LeaseOrder) throws -> DHCPv6Packet? {
    guard let bytes = DHCPv6Family().encode(request, order, transaction: 0x123456, seconds: 2) else { return nil }
    return try DHCPv6Codec.decode(bytes.span)
}

/// A server's message with one association.
private func reply(
    _ type: DHCPv6MessageType = .reply, kind: IdentityAssociation.Kind = .delegation, iaid: UInt32 = 7,
    client: [UInt8] = client, server: [UInt8]? = server, _ options: [DHCPv6Option]?, top: [DHCPv6Option] = []
) throws -> DHCPv6Packet {
    var all: [DHCPv6Option] = [.clientID(try #require(DUID(client)))] + top
    if let server { all.append(.serverID(try #require(DUID(server)))) }
    if let options {
        all.append(.association(IdentityAssociation(kind, id: iaid, renewal: 50, rebinding: 0, options: options)))
    }
    return DHCPv6Packet(
        DHCPv6Message(type, transactionID: 1, options: all), hops: [DHCPv6RelayHop(peerAddress: .zero)],
        isRelayReply: true)
}

private func answer(_ packet: DHCPv6Packet, _ kind: LeaseKey.Kind = .delegation) throws -> LeaseAnswer<IPPrefix>? {
    let bytes = try #require(DHCPv6Codec.encode(packet))
    let message = try #require(DHCPv6Family().decode(bytes))
    return message.answer(to: order(kind))
}

private func isMalformed(_ packet: DHCPv6Packet) throws -> Bool {
    let bytes = try #require(DHCPv6Codec.encode(packet))
    return DHCPv6Family().decode(bytes) == nil
}

@Suite struct DHCPv6FamilyTests {
    @Test func `a relayed client's messages`() throws {
        let held = IPPrefix.v6(prefix)
        let requests: [(LeaseRequest<IPPrefix>, DHCPv6MessageType, Bool)] = [
            (.discover(wish: held), .solicit, false), (.request(held, server: server), .request, true),
            (.renew(held, server: server), .renew, true), (.rebind(held), .rebind, false),
            (.release(held, server: server), .release, true), (.decline(held, server: server), .release, true),
        ]
        for (request, type, namesServer) in requests {
            let said = try encoded(request, order(.delegation))
            let packet = try #require(said)
            #expect(packet.message.type == type && packet.message.transactionID == 0x123456)
            #expect(packet.message.clientID?.bytes == client)
            #expect(packet.message.serverID?.bytes == (namesServer ? server : nil))
            #expect(packet.message.wantsRapidCommit == (type == .solicit))
            let association = try #require(packet.message.associations.first)
            #expect(association.kind == .delegation && association.id == 7)
            #expect(association.leases.map(\.resource) == [.prefix(prefix)])
            let hop = try #require(packet.hops.first)
            #expect(!packet.isRelayReply && hop.linkAddress == IPv6Address("2001:db8:1:1::1"))
            #expect(hop.peerAddress == IPv6Address("fe80::ff:fe00:1"))
            #expect(hop.interfaceID == Array("circuit".utf8) && hop.remoteID == Array("remote".utf8))
            #expect(hop.options.contains(.other(79, [0, 1, 2, 0, 0, 0, 0, 1])))
        }
    }

    @Test func `an address, a length, and what cannot be said`() throws {
        let held = IPPrefix.v6(IPv6Prefix(holding: address, length: 128))
        let declinePacket = try encoded(.decline(held, server: server), order(.address))
        let decline = try #require(declinePacket)
        #expect(decline.message.type == .decline)
        #expect(decline.message.associations.first?.leases.map(\.resource) == [.address(address)])
        let solicitPacket = try encoded(.discover(wish: nil), order(.delegation))
        let solicit = try #require(solicitPacket)
        let hint = IPv6Prefix(holding: .zero, length: 56)
        #expect(solicit.message.associations.first?.leases.map(\.resource) == [.prefix(hint)])
        #expect(try encoded(.release(held, server: nil), order(.address)) == nil)
        var nobody = order(.address)
        nobody.clientID = []
        #expect(try encoded(.discover(wish: nil), nobody) == nil)
    }

    @Test func `offers, grants and refusals`() throws {
        let lease = DHCPv6Option.lease(DHCPv6Lease(.prefix(prefix), preferred: 100, valid: 200))
        #expect(try answer(reply(.advertise, [lease])) == .offered(.v6(prefix), server: server))
        let granted = GrantedLease(resource: IPPrefix.v6(prefix), server: server, lifetime: 200, renewal: 50)
        #expect(try answer(reply(.reply, [lease])) == .granted(granted))
        let one = DHCPv6Option.lease(DHCPv6Lease(.address(address), preferred: 100, valid: 200))
        let single = IPPrefix.v6(IPv6Prefix(holding: address, length: 128))
        #expect(
            try answer(reply(kind: .nonTemporary, [one]), .address)
                == .granted(GrantedLease(resource: single, server: server, lifetime: 200, renewal: 50)))
        let status = DHCPv6Option.status(DHCPv6StatusCode.noPrefixes, text: [])
        #expect(try answer(reply(.advertise, [status])) == .refused)
        #expect(try answer(reply(.advertise, nil, top: [status])) == .refused)
        #expect(try answer(reply(.reply, [status])) == .refused)
        #expect(try answer(reply(.reply, nil, top: [status])) == .refused)
        let dead = DHCPv6Option.lease(DHCPv6Lease(.prefix(prefix), preferred: 0, valid: 0))
        #expect(try answer(reply(.reply, [dead])) == .refused)
    }

    @Test func `what is not for this lease says nothing`() throws {
        let lease = DHCPv6Option.lease(DHCPv6Lease(.prefix(prefix), preferred: 100, valid: 200))
        #expect(try answer(reply(.reply, client: server, [lease])) == nil)
        #expect(try answer(reply(.reply, server: nil, [lease])) == nil)
        #expect(try answer(reply(.renew, [lease])) == nil)
        // Another association, another kind, or nothing at all: a Reply to a Release says no more.
        #expect(try answer(reply(.reply, iaid: 8, [lease])) == nil)
        #expect(try answer(reply(kind: .nonTemporary, [])) == nil)
        #expect(try answer(reply(.reply, nil)) == nil)
    }

    @Test(arguments: ["2001:db8:4000:100::/57", "fe80::/56", "ff00::/56", "::/56"])
    func `a prefix of another length, or no one's to route, is none`(text: String) throws {
        let other = try #require(IPv6Prefix(text))
        let lease = DHCPv6Option.lease(DHCPv6Lease(.prefix(other), preferred: 100, valid: 200))
        #expect(try answer(reply(.advertise, [lease])) == .refused)
    }

    @Test func `a client's message and one that was relayed twice are malformed`() throws {
        let direct = DHCPv6Packet(DHCPv6Message(.reply, transactionID: 1))
        #expect(try isMalformed(direct))
        let hop = DHCPv6RelayHop(peerAddress: .zero)
        for (hops, isReply) in [([hop, hop], true), ([hop], false)] {
            let packet = DHCPv6Packet(DHCPv6Message(.reply, transactionID: 1), hops: hops, isRelayReply: isReply)
            #expect(try isMalformed(packet))
        }
        #expect(DHCPv6Family().decode([]) == nil)
    }
}
