// SPDX-License-Identifier: Apache-2.0
// IPv6 of sessions, ports, identities, next hops and routes on the wire, what no node may accept of it, and what a node says.

import AgentContract
import AgentProto
import BNGCore
import Fleet
import Foundation
import TestVectors
import Testing

private func path(_ object: Wire.Object) -> String? {
    do throws(ContractError) {
        _ = try DesiredObject(object)
        return nil
    } catch {
        return error.code == .invalid ? error.fieldPath : error.code.name
    }
}

private func path(of body: ObjectBody, _ change: (inout Wire.Object) -> Void) -> String? {
    var object = Wire.Object(DesiredObject(id: 1, generation: 1, body: body))
    change(&object)
    return path(object)
}

private func wire(_ text: String, length: UInt32? = nil) throws -> Wire.IPv6Prefix {
    let prefix = try #require(IPv6Prefix(text))
    return .with {
        $0.address = Data(prefix.address.bytes)
        $0.length = length ?? UInt32(prefix.length)
    }
}

/// A session with one prefix of each kind, an advertisement and a DHCPv6 client.
private func dualStack() throws -> InstalledSession {
    let link = try #require(IPv6Prefix("2001:db8:0:1::/64"))
    let delegated = try #require(IPv6Prefix("2001:db8:100::/56"))
    return InstalledSession(
        line: LineKey(accessDomain: 1, mac: MACAddress(rawValue: 0x0200_0000_0001)), tags: VLANTags(),
        address: .zero, poolTemplateID: 0, dhcpFastPath: false, leaseExpires: .zero,
        ipv6: IPv6Attachment(
            prefixes: [link, delegated], leaseExpires: UTCTime(milliseconds: 7), valid: 7_200, activityRenews: true,
            routerAdvertisement: [134, 0, 0, 0] + Array(repeating: 1, count: 12), advertisementInterval: 600,
            dhcpv6: DHCPv6Attachment(
                clientID: [0, 3, 0, 1], serverID: [0, 2, 0, 0],
                associations: [.init(kind: .delegation, iaid: 1, resource: delegated)], replyOptions: [0])))
}

private func pathOfSession(_ change: (inout Wire.SessionIPv6) throws -> Void) throws -> String? {
    var object = Wire.Object(DesiredObject(id: 1, generation: 1, body: .session(try dualStack())))
    try change(&object.session.ipv6)
    return path(object)
}

@Suite struct IPv6ObjectTests {
    @Test func `a session with or without either family maps to the wire and back with its digest`() {
        var random = SplitMix64(state: 31)
        for id in 1...1_000 {
            var session = random.session()
            session.ipv6 = random.ipv6(isRelayed: session.line.relay != .zero)
            if id % 3 == 0 {
                (session.address, session.poolTemplateID, session.dhcpFastPath) = (.zero, 0, false)
                (session.clientID, session.option82, session.framedRoutes) = ([], [], [])
                session.leaseExpires = .zero
            }
            let object = DesiredObject(id: UInt64(id), generation: 1, body: .session(session))
            #expect((try? DesiredObject(Wire.Object(object))) == object)
            #expect(ObjectDigest(object) == ObjectDigest(Wire.Object(object)))
            session.ipv6?.leaseExpires = UTCTime(milliseconds: 1)
            let later = DesiredObject(id: UInt64(id), generation: 1, body: .session(session))
            #expect(ObjectDigest(object) == ObjectDigest(later) && object.body.sameContent(as: later.body))
        }
    }

    @Test func `prefixes outside their limits are refused`() throws {
        #expect(try pathOfSession { _ in } == nil)
        #expect(try pathOfSession { $0.prefixes = [] } == "17.11.1")
        #expect(try pathOfSession { $0.prefixes[0].address = Data([192, 0, 2, 0]) } == "17.11.1")
        #expect(try pathOfSession { $0.prefixes[0] = try wire("2001:db8:0:1::/64", length: 129) } == "17.11.1")
        #expect(try pathOfSession { $0.prefixes[0] = try wire("2001:db8:0:1::/64", length: 0) } == "17.11.1")
        #expect(try pathOfSession { $0.prefixes[0] = try wire("2001:db8:0:1::/64", length: 63) } == "17.11.1")
        for text in ["fe80::/64", "ff00::/8", "::1/128", "c000::/2", "8000::/1", "64:ff9b::/96"] {
            #expect(try pathOfSession { $0.prefixes[0] = try wire(text) } == "17.11.1", "\(text)")
        }
        #expect(try pathOfSession { $0.prefixes.append($0.prefixes[0]) } == "17.11.1")
        let many = try (2..<18).map { try wire("2001:db8:0:\($0)::/64") }
        #expect(try pathOfSession { $0.prefixes = Array(many.dropLast(2)) + $0.prefixes } == nil)
        #expect(try pathOfSession { $0.prefixes = many + $0.prefixes } == "17.11.1")
    }

    @Test func `a lease and an advertisement outside their limits are refused`() throws {
        #expect(try pathOfSession { $0.validSeconds = 59 } == "17.11.3")
        #expect(try pathOfSession { $0.routerAdvertisement = Data([134, 0, 0, 0]) } == "17.11.5")
        #expect(try pathOfSession { $0.routerAdvertisement[3] = 1 } == "17.11.5")
        #expect(try pathOfSession { $0.routerAdvertisement.append(Data(count: 497)) } == "17.11.5")
        #expect(try pathOfSession { $0.routerAdvertisement.append(Data(count: 496)) } == nil)
        #expect(try pathOfSession { $0.advertisementIntervalSeconds = 3 } == "17.11.6")
        #expect(try pathOfSession { $0.advertisementIntervalSeconds = 1_801 } == "17.11.6")
        #expect(try pathOfSession { $0.routerAdvertisement = Data() } == "17.11.6")
    }

    @Test func `behind a relay the node neither advertises nor answers`() throws {
        var relayed = try dualStack()
        relayed.line.relay = IPv4Address(rawValue: 0x0a00_0001)
        relayed.relayMAC = MACAddress(rawValue: 0x0200_0000_0009)
        #expect(path(of: .session(relayed)) { _ in } == "17.11.5")
        relayed.ipv6?.routerAdvertisement = []
        #expect(path(of: .session(relayed)) { _ in } == "17.11.6")
        relayed.ipv6?.advertisementInterval = 0
        #expect(path(of: .session(relayed)) { _ in } == "17.11.7")
        relayed.ipv6?.dhcpv6 = nil
        #expect(path(of: .session(relayed)) { _ in } == nil)
    }

    @Test func `a DHCPv6 client outside its limits is refused`() throws {
        #expect(try pathOfSession { $0.dhcpv6.clientID = Data([0, 3]) } == "17.11.7.1")
        #expect(try pathOfSession { $0.dhcpv6.clientID = Data(count: 131) } == "17.11.7.1")
        #expect(try pathOfSession { $0.dhcpv6.serverID = Data() } == "17.11.7.2")
        #expect(try pathOfSession { $0.dhcpv6.associations = [] } == "17.11.7.3")
        #expect(try pathOfSession { $0.dhcpv6.associations[0].kind = 4 } == "17.11.7.3")
        #expect(try pathOfSession { $0.dhcpv6.associations[0].kind = 3 } == "17.11.7.3", "an address has 128 bits")
        #expect(try pathOfSession { $0.dhcpv6.associations.append($0.dhcpv6.associations[0]) } == "17.11.7.3")
        #expect(try pathOfSession { $0.dhcpv6.associations[0].resource.length = 57 } == "17.11.7.3")
        #expect(
            try pathOfSession { session in
                let first = session.dhcpv6.associations[0]
                session.dhcpv6.associations = (0..<UInt32(5)).map { iaid in
                    var next = first
                    next.iaid = iaid
                    return next
                }
            } == "17.11.7.3")
        #expect(try pathOfSession { $0.dhcpv6.replyOptions = Data() } == "17.11.7.4")
        #expect(try pathOfSession { $0.dhcpv6.replyOptions = Data(count: 513) } == "17.11.7.4")
    }

    @Test func `a port has a link-local address and refused headers if it is an access port`() throws {
        let linkLocal = IPv6Address.linkLocal(1)
        let access = ObjectBody.port(
            PortPolicy(
                name: "access0", role: .access, accessDomain: 1, linkLocal: linkLocal,
                refusedExtensionHeaders: [0, 43, 255]))
        let object = DesiredObject(id: 1, generation: 1, body: access)
        #expect(try DesiredObject(Wire.Object(object)) == object)
        #expect(ObjectDigest(object) == ObjectDigest(Wire.Object(object)))
        #expect(path(of: access) { $0.port.ipv6LinkLocal = Data([0xfe, 0x80]) } == "11.8")
        #expect(path(of: access) { $0.port.ipv6LinkLocal[0] = 0x20 } == "11.8")
        #expect(path(of: access) { $0.port.refusedExtensionHeaders = [43, 43] } == "11.9")
        #expect(path(of: access) { $0.port.refusedExtensionHeaders = [43, 0] } == "11.9")
        #expect(path(of: access) { $0.port.refusedExtensionHeaders = [256] } == "11.9")
        #expect(path(of: access) { $0.port.refusedExtensionHeaders = Array(0..<9) } == "11.9")
        let core = ObjectBody.port(PortPolicy(name: "core0", role: .core))
        #expect(path(of: core) { $0.port.ipv6LinkLocal = Data(linkLocal.bytes) } == "11.8")
        #expect(path(of: core) { $0.port.refusedExtensionHeaders = [0] } == "11.9")
    }

    @Test(arguments: ["fe80::1", "::1", "ff02::1", "::ffff:192.0.2.1"])
    func `the BNG's own address is routable`(_ text: String) throws {
        let address = try #require(IPv6Address(text))
        let identity = ServerIdentity(
            vrf: 3, address: IPv4Address(rawValue: 0x6440_0001), ipv6: IPv6Address("2001:db8::1"))
        let object = DesiredObject(id: 1, generation: 1, body: .serverIdentity(identity))
        #expect(try DesiredObject(Wire.Object(object)) == object)
        #expect(path(of: object.body) { $0.serverIdentity.ipv6Address = Data(address.bytes) } == "12.3")
        #expect(path(of: object.body) { $0.serverIdentity.ipv6Address = Data([1]) } == "12.3")
    }

    @Test func `a next hop has one address, of either family`() throws {
        for text in ["192.0.2.1", "2001:db8::1", "fe80::1"] {
            let hop = NextHop.gateway(try #require(IPAddress(text)), port: "core0")
            let object = DesiredObject(id: 1, generation: 1, body: .nextHop(hop))
            #expect(try DesiredObject(Wire.Object(object)) == object)
        }
        let hop = ObjectBody.nextHop(.gateway(.v6(.linkLocal(1)), port: "core0"))
        #expect(path(of: hop) { $0.nextHop.ipv6Address = Data() } == "14.3")
        #expect(path(of: hop) { $0.nextHop.ipv4Address = Data([192, 0, 2, 1]) } == "14.4")
        #expect(path(of: hop) { $0.nextHop.ipv6Address = Data(IPv6Address.allNodes.bytes) } == "14.4")
        #expect(path(of: .nextHop(.kernel)) { $0.nextHop.ipv6Address = Data(IPv6Address.loopback.bytes) } == "14.4")
    }

    @Test func `a route has a prefix of either family`() throws {
        for text in ["::/0", "2001:db8::/32", "2001:db8::1/128", "0.0.0.0/0"] {
            let route = Route(vrf: 0, prefix: try #require(IPPrefix(text)), target: .blackhole)
            let object = DesiredObject(id: 1, generation: 1, body: .route(route))
            #expect(try DesiredObject(Wire.Object(object)) == object)
        }
        let route = ObjectBody.route(
            Route(vrf: 0, prefix: try #require(IPPrefix("2001:db8::/32")), target: .subscribers))
        #expect(path(of: route) { $0.route.prefix.removeLast() } == "15.2")
        #expect(path(of: route) { $0.route.prefixLength = 129 } == "15.3")
        #expect(path(of: route) { $0.route.prefixLength = 28 } == "15.2")
        #expect(path(of: route) { $0.route.prefix = Data([10, 0, 0, 0]) } == nil)
        #expect(
            path(of: route) {
                $0.route.prefix = Data([10, 0, 0, 0])
                $0.route.prefixLength = 33
            } == "15.3")
    }

    @Test func `a renewal says of which family it is and counters tell the families apart`() {
        let renewed = AgentEvent(
            .with {
                $0.leaseRenewed = .with {
                    $0.sessionID = 5
                    $0.sessionGeneration = 2
                    $0.ipv6ExpiresUnixMs = 9
                }
            })
        #expect(
            renewed
                == .leaseRenewed(
                    SessionID(rawValue: 5), generation: 2, ipv4Expires: nil, ipv6Expires: UTCTime(milliseconds: 9)))
        let counters = SessionCounterValues(
            .with {
                ($0.upPackets, $0.ipv6UpPackets, $0.ipv6UpBytes) = (10, 1, 2)
                ($0.ipv6DownPackets, $0.ipv6DownBytes, $0.ipv6LeaseExpiresUnixMs) = (3, 4, 5)
                ($0.routerAdvertisements, $0.dhcpv6FastPathReplies) = (6, 7)
            })
        #expect(counters.upPackets == 10 && counters.ipv6UpPackets == 1 && counters.ipv6UpBytes == 2)
        #expect(counters.ipv6DownPackets == 3 && counters.ipv6DownBytes == 4)
        #expect(counters.ipv6LeaseExpires == UTCTime(milliseconds: 5))
        #expect(counters.routerAdvertisements == 6 && counters.dhcpv6FastPathReplies == 7)
    }
}
