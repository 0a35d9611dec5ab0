// SPDX-License-Identifier: Apache-2.0
// Whatever a line may send in neighbour discovery: decoded and written again, and advertisements made of it. The fuzzer and
// unit tests feed it.

import BNGCore
import NeighborDiscovery

/// Takes bytes the whole way; what it returns is a promise that was not kept.
public enum NDExercise {
    /// nil: every promise was kept. The first byte chooses the packet's head, the rest is the ICMPv6 message and a list of routers.
    public static func problem(with data: [UInt8]) -> String? {
        let envelope = Self.envelope(data.first ?? 0)
        let range = min(1, data.count)..<data.count
        if let message = try? NeighborDiscoveryCodec.decode(data.span, range, envelope) {
            let again = NeighborDiscoveryCodec.encode(message)
            guard (try? NeighborDiscoveryCodec.decode(again.span, 0..<again.count, envelope)) == message else {
                return "an encoded message decodes to another"
            }
            if again.count > data.count { return "a message grows" }
            if envelope.hopLimit != 255 { return "a forwarded message is believed" }
        }
        return Self.routerProblem(data)
    }

    private static func envelope(_ choice: UInt8) -> NeighborDiscoveryEnvelope {
        let sources = [IPv6Address.zero, .linkLocal(9), IPv6Address(high: 0x2001_0db8 << 32, low: 9), .loopback]
        let destinations = [IPv6Address.allRouters, .allNodes, .linkLocal(1), IPv6Address.linkLocal(1).solicitedNode]
        return NeighborDiscoveryEnvelope(
            source: sources[Int(choice & 3)], destination: destinations[Int(choice >> 2 & 3)],
            hopLimit: choice & 0x80 == 0 ? 255 : 64)
    }

    // MARK: The router

    private static func configuration(_ byte: UInt8) -> RouterConfiguration {
        var configuration = RouterConfiguration()
        configuration.lifetime = UInt16(byte & 0xf0) << 4
        if let prefix = IPv6Prefix(IPv6Address(high: 0x2001_0db8 << 32 | UInt64(byte & 0xf), low: 0), length: 64) {
            configuration.prefixes = [
                PrefixInformation(
                    prefix: prefix, isOnLink: false, isAutonomous: true, validLifetime: 7_200,
                    preferredLifetime: 3_600)
            ]
        }
        return configuration
    }

    private static func routerProblem(_ data: [UInt8]) -> String? {
        for byte in data.prefix(64) {
            let router = Self.configuration(byte)
            let stale = router.prefixes.map(\.prefix)
            guard Self.survives(router.advertisement(stale: [])), Self.survives(router.advertisement(stale: stale)),
                Self.survives(router.withdrawn.advertisement(stale: []))
            else { return "an advertisement is not valid" }
        }
        return nil
    }

    private static func survives(_ message: RouterAdvertisement) -> Bool {
        let bytes = NeighborDiscoveryCodec.encode(.routerAdvertisement(message))
        let envelope = NeighborDiscoveryEnvelope(source: .linkLocal(1), destination: .allNodes)
        let decoded = try? NeighborDiscoveryCodec.decode(bytes.span, 0..<bytes.count, envelope)
        return decoded == .routerAdvertisement(message)
    }
}
