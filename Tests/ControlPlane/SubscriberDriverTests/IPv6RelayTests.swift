// SPDX-License-Identifier: Apache-2.0
// DHCPv6 clients behind layer-3 relays: who is believed, who the client is, where the answer goes, what the node holds.

import BNGCore
import DHCPv4
import DHCPv6
import Ethernet
import Fleet
import SubscriberDriver
import Subscribers
import Testing

private let relayMAC = MACAddress(rawValue: 0x0200_5e77_8899)
private let client = IPv6Host(mac: clientMAC)
private let link = IPv6Address(high: 0x2001_0db8_0002_0000, low: 0xfffe)
private let otherLink = IPv6Address(high: 0x2001_0db8_0003_0000, low: 0xfffe)
private let uplink = IPv6Address(high: 0x2001_0db8_fffd_0000, low: 2)
private let ours = IPv6Address(high: 0x2001_0db8_fffe_0000, low: 1)
private let ethernet = DHCPv6Option.other(79, [0, 1] + clientMAC.bytes)
private let uuid = DUID([0, 4] + [UInt8](repeating: 7, count: 16)) ?? client.duid

/// A frame of the relay's with what it relays.
private struct Relayed {
    var source = IPv6Address.linkLocal(0x77)
    var mac = relayMAC
    var hops: [DHCPv6RelayHop]

    init(link: IPv6Address = link, _ options: [DHCPv6Option] = [.interfaceID([3, 0, 0, 0])]) {
        self.hops = [DHCPv6RelayHop(linkAddress: link, peerAddress: client.linkLocal, options: options)]
    }

    func frame(_ message: DHCPv6Message) -> [UInt8] {
        var bytes: [UInt8] = []
        EthernetHeader(destination: portMAC, source: self.mac, tags: .untagged, etherType: 0x86dd).encode(into: &bytes)
        encodeUDPv6(
            from: (self.source, 547), to: (.allDHCPServers, 547),
            payload: DHCPv6Codec.encode(DHCPv6Packet(message, hops: self.hops)) ?? [], into: &bytes)
        return bytes
    }
}

private let known: [IPv6Address: IPv4Address] = [link: relay, otherLink: relay, uplink: relay]

extension Scene {
    /// Sends through the relay and gives the answer, with the frame's head and addresses.
    fileprivate func exchange(
        _ relayed: Relayed, _ message: DHCPv6Message, trusting relays: [IPv6Address: IPv4Address] = known
    ) async throws -> (head: EthernetHeader, ip: IPv6Packet, packet: DHCPv6Packet)? {
        var punted = self.packet(relayed.frame(message))
        (punted.puntClass, punted.relays) = (.dhcpv6, relays)
        self.plane.receive(node: "edge1", punts: [punted])
        try await self.settle()
        guard let frame = self.link.takeFrames().last else { return nil }
        let head = try EthernetHeader(decoding: frame.span)
        let datagram = try UDPv6Datagram(decoding: frame.span, at: head.length)
        #expect(datagram.sourcePort == 547 && datagram.destinationPort == 547)
        return (head, datagram.packet, try DHCPv6Codec.decode(frame.span.extracting(datagram.payload)))
    }

    fileprivate static func relayed(aaa: AAAPolicy = AAAPolicy()) async throws -> Scene {
        var settings = IPv6Scene()
        settings.address = ours
        let scene = settings.scene(trust: .relays, aaa: aaa)
        _ = try await scene.plane.start(sessions: [], bindings: [])
        return scene
    }

    fileprivate func relayedDHCPv4(_ type: DHCPv4MessageType, requested: IPv4Address? = nil, option82: [UInt8]? = nil) {
        var message = DHCPv4Message(op: .request, xid: 7, clientAddress: .zero, clientMAC: clientMAC)
        message.relayAddress = relay
        message.options.append(53, [type.rawValue])
        if let requested { message.options.append(50, requested) }
        if let option82 { message.options.append(82, option82) }
        var bytes: [UInt8] = []
        EthernetHeader(destination: portMAC, source: relayMAC, tags: .untagged, etherType: 0x0800).encode(into: &bytes)
        encodeUDP(from: (relay, 67), to: (server, 67), payload: DHCPv4Codec.encode(message), into: &bytes)
        self.receive(bytes)
    }
}

struct IPv6RelayTests {
    @Test func `a client is served through its relay, and the node neither advertises nor answers`() async throws {
        let scene = try await Scene.relayed()
        let answer = try #require(try await scene.exchange(Relayed(), client.message(.solicit, rapid: true)))
        #expect(answer.head.destination == relayMAC && answer.ip.destination == .linkLocal(0x77))
        #expect(answer.ip.source == .linkLocal(1))
        #expect(answer.packet.isRelayReply && answer.packet.hops == Relayed().hops)
        #expect(answer.packet.message.type == .reply && answer.packet.message.resources.count == 2)
        let session = try #require(scene.installed.first)
        #expect(session.line == LineKey(accessDomain: 1, relay: relay, mac: clientMAC) && session.relayMAC == relayMAC)
        let ipv6 = try #require(session.ipv6)
        #expect(ipv6.prefixes.count == 2, "an address and a delegation, and nothing for the link")
        #expect(ipv6.routerAdvertisement.isEmpty && ipv6.advertisementInterval == 0 && ipv6.dhcpv6 == nil)
        #expect(!ipv6.activityRenews)
        let record = try #require(try await scene.plane.sessions(limit: 9).first)
        scene.plane.lapsed(record.id, cause: .adminReset)
        try await scene.settle()
        #expect(scene.installed.isEmpty && scene.link.takeFrames().isEmpty, "the relay is no host to be told")
        try await scene.stop()
    }

    @Test func `a relay that speaks from afar is answered from our own address`() async throws {
        let scene = try await Scene.relayed()
        var relayed = Relayed()
        relayed.source = uplink
        let answer = try #require(try await scene.exchange(relayed, client.message(.solicit)))
        #expect(answer.ip.source == ours && answer.ip.destination == uplink)
        try await scene.stop()
    }

    @Test func `both families are one session, whatever their relay agents call the circuit`() async throws {
        let authority = FakeAuthority([clientMAC.description: .accept(ServiceGrant(source: .radius, userName: "alice"))]
        )
        let outlet = FakeOutlet()
        var aaa = AAAPolicy()
        (aaa.authority, aaa.accounting) = (authority, outlet)
        let scene = try await Scene.relayed(aaa: aaa)
        _ = try await scene.exchange(Relayed(), client.message(.solicit, rapid: true))
        scene.relayedDHCPv4(.discover, option82: [1, 4] + Array("lan0".utf8))
        try await scene.settle()
        let offer = try reply(try #require(scene.link.takeFrames().last))
        scene.relayedDHCPv4(.request, requested: offer.yourAddress, option82: [1, 4] + Array("lan0".utf8))
        try await scene.settle()
        _ = scene.link.takeFrames()
        let records = try await scene.plane.sessions(limit: 9)
        #expect(records.count == 1 && records[0].address == offer.yourAddress && records[0].ipv6?.bindings.count == 2)
        #expect(authority.asked.withLock { $0.count } == 1)
        #expect(outlet.records.withLock { Set($0.map(\.accountingID)).count } == 1)
        let leases = try #require(records[0].ipv6).bindings.map { binding -> DHCPv6Lease.Resource in
            let prefix = binding.resource.prefix
            return binding.isDelegation ? .prefix(prefix) : .address(prefix.address)
        }
        let renewed = try await scene.exchange(Relayed(), client.message(.renew, having: leases))
        #expect(renewed?.packet.message.resources.count == 2)
        #expect(try await scene.plane.counters()[.lineConflict] == nil)
        scene.relayedDHCPv4(.discover, option82: [1, 4] + Array("lan9".utf8))
        try await scene.settle()
        #expect(try await scene.plane.counters()[.lineConflict] == 1, "another link of the relay")
        try await scene.stop()
    }

    @Test func `the same client behind another link or circuit of the relay does not take the session over`()
        async throws
    {
        let scene = try await Scene.relayed()
        _ = try await scene.exchange(Relayed(), client.message(.solicit, rapid: true))
        for thief in [Relayed(link: otherLink), Relayed([.interfaceID([4, 0, 0, 0])]), Relayed([])] {
            #expect(try await scene.exchange(thief, client.message(.solicit, rapid: true)) == nil)
        }
        #expect(try await scene.plane.counters()[.lineConflict] == 3)
        #expect(try await scene.plane.sessions(limit: 9).first?.generation == 1)
        try await scene.stop()
    }

    @Test func `clients of a link get addresses of the pool around it, of any other the usual one`() async throws {
        var settings = IPv6Scene()
        settings.address = ours
        var pools = settings.pools
        let second = PrefixPoolPolicy(
            name: "second", vrf: 0, prefixes: [prefix("2001:db8:3::/64")], length: 128, quarantine: 60)
        pools.append(second)
        let scene = Scene(trust: .relays, ipv6: settings.policy, prefixPools: pools)
        _ = try await scene.plane.start(sessions: [], bindings: [])
        for (number, link, network) in [(5, otherLink, "2001:db8:3::/64"), (6, uplink, "2001:db8:2::/64")] {
            let host = IPv6Host(mac: mac(number))
            let answer = try await scene.exchange(Relayed(link: link), host.message(.solicit, rapid: true))
            let addresses = answer?.packet.message.resources.compactMap { resource -> IPv6Address? in
                if case .address(let address) = resource { address } else { nil }
            }
            #expect(addresses?.count == 1 && addresses?.allSatisfy { prefix(network).contains($0) } == true)
        }
        // Of the other link: it has moved.
        let moved = DHCPv6Lease.Resource.address(IPv6Address(high: 0x2001_0db8_0002_0000, low: 9))
        let verdict = try await scene.exchange(
            Relayed(link: otherLink), IPv6Host(mac: mac(7)).message(.confirm, having: [moved]))
        #expect(verdict?.packet.message.options.contains { if case .status(4, _) = $0 { true } else { false } } == true)
        try await scene.stop()
    }

    @Test func `a session follows its relay to another MAC address`() async throws {
        let scene = try await Scene.relayed()
        let first = try #require(try await scene.exchange(Relayed(), client.message(.solicit, rapid: true)))
        var moved = Relayed()
        moved.mac = mac(9)
        let renew = client.message(.renew, having: first.packet.message.resources)
        let answer = try #require(try await scene.exchange(moved, renew))
        #expect(answer.head.destination == mac(9) && scene.installed.map(\.relayMAC) == [mac(9)])
        try await scene.stop()
    }

    @Test func `what a client gives back through its relay is free`() async throws {
        let scene = try await Scene.relayed()
        let held = try #require(try await scene.exchange(Relayed(), client.message(.solicit, rapid: true)))
        let confirmed = try await scene.exchange(
            Relayed(), client.message(.confirm, having: [held.packet.message.resources[0]]))
        #expect(confirmed?.packet.message.type == .reply)
        let release = client.message(.release, having: held.packet.message.resources)
        #expect(try await scene.exchange(Relayed(), release)?.packet.message.type == .reply)
        #expect(try await scene.plane.sessions(limit: 9).isEmpty && scene.installed.isEmpty)
        try await scene.stop()
    }

    @Test func `a controller that starts again knows the client and its relay`() async throws {
        var scene = try await Scene.relayed()
        let first = try #require(try await scene.exchange(Relayed(), client.message(.solicit, rapid: true)))
        let state = scene.store.state.withLock { $0 }
        try await scene.stop()
        scene = IPv6Scene().scene(trust: .relays)
        scene.store.state.withLock { $0 = state }
        _ = try await scene.plane.start(sessions: Array(state.sessions.values), bindings: [])
        try await scene.settle()
        #expect(scene.installed.map(\.relayMAC) == [relayMAC] && scene.link.takeFrames().isEmpty)
        let thief = try await scene.exchange(Relayed(link: otherLink), client.message(.solicit, rapid: true))
        #expect(thief == nil)
        let renewed = try await scene.exchange(
            Relayed(), client.message(.renew, having: first.packet.message.resources))
        #expect(renewed?.packet.message.resources.count == 2)
        try await scene.stop()
    }
}

/// A Relay-forward, and the client's MAC address as the plane is to see it, or why not.
private struct Chain: Sendable, CustomTestStringConvertible {
    enum Verdict: Sendable, Equatable { case client(MACAddress), direct, refused(PlaneCounter) }

    var testDescription: String
    var source = IPv6Address.linkLocal(0x77)
    var hops: [DHCPv6RelayHop]
    var duid = client.duid
    var trust = RelayTrust.relays
    var verdict: Verdict

    init(
        _ name: String, _ hops: [(IPv6Address, [DHCPv6Option])], source: IPv6Address = .linkLocal(0x77),
        duid: DUID = client.duid, trust: RelayTrust = .relays, _ verdict: Verdict
    ) {
        self.testDescription = name
        self.hops = hops.map { DHCPv6RelayHop(linkAddress: $0.0, peerAddress: client.linkLocal, options: $0.1) }
        (self.source, self.duid, self.trust, self.verdict) = (source, duid, trust, verdict)
    }
}

private let stranger = IPv6Address(high: 0x2001_0db8_0009_0000, low: 1)
private let llt = DUID([0, 1, 0, 1, 0, 0, 0, 9] + mac(5).bytes) ?? client.duid
private let infiniband = DUID([0, 3, 0, 32] + mac(5).bytes) ?? client.duid
private let group = DHCPv6Option.other(79, [0, 1, 3, 0, 0, 0, 0, 1])

private let chains = [
    Chain("listed link", [(link, [])], .client(clientMAC)),
    Chain("option 79 before the DUID", [(link, [ethernet])], duid: llt, .client(clientMAC)),
    Chain("DUID-LLT", [(link, [])], duid: llt, .client(mac(5))),
    Chain("DUID-UUID and option 79", [(link, [ethernet])], duid: uuid, .client(clientMAC)),
    Chain("DUID-UUID", [(link, [])], duid: uuid, .refused(.relayWithoutMAC)),
    Chain("no Ethernet", [(link, [])], duid: infiniband, .refused(.relayWithoutMAC)),
    Chain("option 79 with a group", [(link, [group])], duid: uuid, .refused(.relayWithoutMAC)),
    Chain("option 79 of 7 bytes", [(link, [.other(79, [0, 1, 2])])], duid: uuid, .refused(.relayWithoutMAC)),
    Chain("unlisted link", [(stranger, [])], .refused(.untrustedRelay)),
    Chain("listed link, no trust in relays", [(link, [])], trust: .accessNode, .refused(.untrustedRelay)),
    Chain("listed link, no trust at all", [(link, [])], trust: .none, .refused(.untrustedRelay)),
    Chain("access node before the relay", [(link, []), (.zero, [ethernet])], duid: uuid, .client(clientMAC)),
    Chain("access node behind the relay", [(.zero, []), (link, [])], .client(clientMAC)),
    Chain("listed relay of a listed one", [(.zero, []), (link, [])], source: uplink, .client(clientMAC)),
    Chain("unlisted relay of a listed one", [(.zero, []), (link, [])], source: stranger, .refused(.untrustedRelay)),
    Chain("a forged link within", [(link, []), (stranger, [])], .refused(.untrustedRelay)),
    Chain("no link, a listed source", [(.zero, [])], source: uplink, .client(clientMAC)),
    Chain("no link, an unlisted source", [(.zero, [])], source: stranger, .refused(.untrustedRelay)),
    Chain("an access node alone", [(.zero, [])], .direct),
]

struct RelayTrustTests {
    @Test func `no part of a Relay-forward and none with a spoiled byte is a trap, and nobody else is believed`()
        async throws
    {
        let scene = try await Scene.relayed()
        var relayed = Relayed([.interfaceID([3]), ethernet])
        relayed.hops.append(DHCPv6RelayHop(peerAddress: client.linkLocal, options: [.interfaceID([9])]))
        let whole = relayed.frame(client.message(.solicit, rapid: true))
        var frames = (0..<whole.count).map { Array(whole.prefix($0)) }
        for at in whole.indices {
            for flip in [UInt8(1), 0x80, 0xff] {
                var frame = whole
                frame[at] ^= flip
                frames.append(frame)
            }
        }
        let punts = frames.map { frame in
            var punted = scene.packet(frame)
            (punted.puntClass, punted.relays) = (.dhcpv6, known)
            return punted
        }
        scene.plane.receive(node: "edge1", punts: punts)
        try await scene.settle()
        let counters = try await scene.plane.counters()
        let refused = [.malformedFrame, .malformedDHCPv6, .untrustedRelay].reduce(0) { $0 + (counters[$1] ?? 0) }
        #expect(refused + (counters[.dhcpv6Received] ?? 0) == UInt64(frames.count))
        // The checksum holds all but the Ethernet header, and fields of IPv6's that are no part of it.
        for record in try await scene.plane.sessions(limit: 99) {
            #expect(record.line.relay == relay && record.line.mac == clientMAC)
        }
        try await scene.stop()
    }

    @Test(arguments: chains) private func `a chain of relays`(_ chain: Chain) async throws {
        let scene = IPv6Scene().scene(trust: chain.trust)
        _ = try await scene.plane.start(sessions: [], bindings: [])
        var relayed = Relayed()
        (relayed.source, relayed.hops) = (chain.source, chain.hops)
        let answer = try await scene.exchange(relayed, client.message(.solicit, rapid: true, client: chain.duid))
        let line = try await scene.plane.sessions(limit: 9).first?.line
        switch chain.verdict {
        case .client(let mac): #expect(line == LineKey(accessDomain: 1, relay: relay, mac: mac) && answer != nil)
        case .direct: #expect(line == LineKey(accessDomain: 1, mac: relayMAC) && answer != nil)
        case .refused(let counter):
            #expect(line == nil && answer == nil)
            #expect(try await scene.plane.counters()[counter] == 1)
        }
        try await scene.stop()
    }
}
