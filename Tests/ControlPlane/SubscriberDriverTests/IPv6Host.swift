// SPDX-License-Identifier: Apache-2.0
// An IPv6 host in front of the plane: solicitations and DHCPv6 as nodes punt them, and what came back.

import BNGCore
import DHCPv6
import Ethernet
import Fleet
import NeighborDiscovery
import PPPoE
import SubscriberDriver
import Subscribers
import Testing

let serverDUID = DUID.enterprise(1, [7])

func prefix(_ text: String) -> IPv6Prefix {
    guard let prefix = IPv6Prefix(text) else { preconditionFailure("\(text) is no prefix") }
    return prefix
}

/// Pools and policy of the scenes with IPv6.
struct IPv6Scene {
    var links = "2001:db8:1::/48"
    var homes = "2001:db8:f000::/40"
    var hosts = "2001:db8:2::/64"
    var linkPool: String? = "links"
    /// Ours beyond the line.
    var address: IPv6Address?

    var pools: [PrefixPoolPolicy] {
        [
            PrefixPoolPolicy(name: "links", vrf: 0, prefixes: [prefix(self.links)], length: 64, quarantine: 60),
            PrefixPoolPolicy(name: "homes", vrf: 0, prefixes: [prefix(self.homes)], length: 56, quarantine: 60),
            PrefixPoolPolicy(name: "hosts", vrf: 0, prefixes: [prefix(self.hosts)], length: 128, quarantine: 60),
        ]
    }

    var policy: IPv6Policy {
        var router = RouterConfiguration()
        router.hasOtherConfiguration = true
        var dhcpv6 = DHCPv6Configuration(serverID: serverDUID)
        dhcpv6.options = [.nameServers([IPv6Address(high: 1 << 61, low: 0x53)])]
        return IPv6Policy(
            vrf: 0, linkLocal: .linkLocal(1), address: self.address, linkPool: self.linkPool, addressPool: "hosts",
            delegationPool: "homes", router: router, advertisementInterval: 600, isOnLink: false, dhcpv6: dhcpv6)
    }

    func scene(trust: RelayTrust = .none, aaa: AAAPolicy = AAAPolicy(), pppoe: PPPoEPolicy? = nil) -> Scene {
        Scene(trust: trust, aaa: aaa, pppoe: pppoe, ipv6: self.policy, prefixPools: self.pools)
    }
}

/// One host on an untagged line.
struct IPv6Host {
    let mac: MACAddress
    var linkLocal: IPv6Address { .linkLocal(self.mac.rawValue) }
    var duid: DUID { .linkLayer(self.mac) }

    private var head: EthernetHeader {
        EthernetHeader(destination: portMAC, source: self.mac, tags: .untagged, etherType: 0x86dd)
    }

    func solicitation() -> [UInt8] {
        var bytes: [UInt8] = []
        self.head.encode(into: &bytes)
        let message = NeighborDiscoveryCodec.encode(.routerSolicitation([.sourceLinkLayer(self.mac)]))
        encodeICMPv6(from: self.linkLocal, to: .allRouters, message: message, into: &bytes)
        return bytes
    }

    func dhcpv6(_ packet: DHCPv6Packet) -> [UInt8] {
        var bytes: [UInt8] = []
        self.head.encode(into: &bytes)
        encodeUDPv6(
            from: (self.linkLocal, packet.hops.isEmpty ? 546 : 547), to: (.allDHCPRelaysAndServers, 547),
            payload: DHCPv6Codec.encode(packet) ?? [], into: &bytes)
        return bytes
    }

    /// A message for one address and one prefix, with what the client has of them.
    func message(
        _ type: DHCPv6MessageType, having leases: [DHCPv6Lease.Resource] = [], rapid: Bool = false,
        client: DUID? = nil
    ) -> DHCPv6Message {
        var message = DHCPv6Message(type, transactionID: 0x10_2030, options: [.clientID(client ?? self.duid)])
        if [.request, .renew, .release, .decline].contains(type) { message.options.append(.serverID(serverDUID)) }
        if rapid { message.options.append(.rapidCommit) }
        var address = IdentityAssociation(.nonTemporary, id: 1)
        var delegation = IdentityAssociation(.delegation, id: 2)
        for lease in leases {
            let option = DHCPv6Option.lease(DHCPv6Lease(lease, preferred: 0, valid: 0))
            if case .prefix = lease { delegation.options.append(option) } else { address.options.append(option) }
        }
        if type == .decline || type == .release {
            message.options += [address, delegation].filter { !$0.leases.isEmpty }.map { .association($0) }
        } else {
            message.options += [.association(address), .association(delegation)]
        }
        return message
    }

    /// The advertisements among frames to this host, in order.
    func advertisements(_ frames: [[UInt8]]) -> [RouterAdvertisement] {
        frames.compactMap { frame in
            guard let head = try? EthernetHeader(decoding: frame.span), head.destination == self.mac,
                let datagram = try? ICMPv6Datagram(decoding: frame.span, at: head.length)
            else { return nil }
            let envelope = NeighborDiscoveryEnvelope(
                source: datagram.packet.source, destination: datagram.packet.destination,
                hopLimit: datagram.packet.hopLimit)
            let message = try? NeighborDiscoveryCodec.decode(frame.span, datagram.message, envelope)
            guard case .routerAdvertisement(let advertisement)? = message else { return nil }
            return advertisement
        }
    }

    /// The DHCPv6 packets among frames to this host, in order.
    func packets(_ frames: [[UInt8]]) -> [DHCPv6Packet] {
        frames.compactMap { frame in
            guard let head = try? EthernetHeader(decoding: frame.span), head.destination == self.mac,
                let datagram = try? UDPv6Datagram(decoding: frame.span, at: head.length)
            else { return nil }
            return try? DHCPv6Codec.decode(frame.span.extracting(datagram.payload))
        }
    }
}

extension DHCPv6Message {
    /// What its associations hold, with a lifetime.
    var resources: [DHCPv6Lease.Resource] {
        self.associations.flatMap(\.leases).filter { $0.valid > 0 }.map(\.resource)
    }

    var statuses: [UInt16] { self.associations.compactMap(\.status) }
}

extension RouterAdvertisement {
    var prefixes: [PrefixInformation] {
        self.options.compactMap { if case .prefix(let prefix) = $0 { prefix } else { nil } }
    }
}

extension Scene {
    func solicit(_ host: IPv6Host) { self.receive(host.solicitation(), as: .nd) }

    func receive(_ frame: [UInt8], as puntClass: PuntClass) {
        var packet = self.packet(frame)
        packet.puntClass = puntClass
        self.plane.receive(node: "edge1", punts: [packet])
    }

    /// Sends and gives the DHCPv6 answer.
    func exchange(_ host: IPv6Host, _ packet: DHCPv6Packet) async throws -> DHCPv6Packet? {
        self.receive(host.dhcpv6(packet), as: .dhcpv6)
        try await self.settle()
        return host.packets(self.link.takeFrames()).last
    }

    func exchange(_ host: IPv6Host, _ message: DHCPv6Message) async throws -> DHCPv6Message? {
        try await self.exchange(host, DHCPv6Packet(message))?.message
    }

    var installed: [InstalledSession] { self.link.state.withLock { Array($0.installed.values) } }
}
