// SPDX-License-Identifier: Apache-2.0
// `nat-policies:` and `nat-pools:` as values, and what they mean for nodes.

import Addressing
import BNGCore
import Fleet

/// An entry of `nat-policies:`
public struct NATPolicySettings: Sendable, Equatable {
    public var name: String
    public var policy: NATPolicy
    /// With `policy.pcp`: forwards of a session at most.
    public var forwards: Int
    /// Seconds a client's forward may be granted for.
    public var lifetimes: ClosedRange<UInt32>
}

/// An entry of `nat-pools:`
public struct NATPoolSettings: Sendable, Equatable {
    public var name: String
    public var vrf: VRF
    /// Name of a policy; empty for one to one.
    public var policy: String
    public var addresses: [IPv4Range]
    public var ports: ClosedRange<UInt16>
    public var layout: PortBlockPool.Layout
    public var quarantine: Seconds
    public var alarmPercent: Int
}

extension IPv4Range {
    /// The fewest prefixes that make up the range, in ascending order.
    public var prefixes: [IPv4Prefix] {
        var prefixes: [IPv4Prefix] = []
        var next = UInt64(self.first.rawValue)
        let end = UInt64(self.last.rawValue) + 1
        while next < end {
            var bits = next == 0 ? 32 : min(next.trailingZeroBitCount, 32)
            while next + (1 << UInt64(bits)) > end { bits -= 1 }
            if let prefix = IPv4Prefix(IPv4Address(rawValue: UInt32(next)), length: 32 - bits) {
                prefixes.append(prefix)
            }
            next += 1 << UInt64(bits)
        }
        return prefixes
    }
}

extension ControllerConfiguration {
    /// Policies and public addresses, which every node knows: any of them may have a customer of any plan.
    func natObjects(of node: NodeSettings) -> [(name: String, body: ObjectBody)] {
        let vrfs = Set(node.ports.filter { $0.role == .access }.map(\.vrf))
        let pools = self.natPools.filter { vrfs.contains($0.vrf) }
        guard !pools.isEmpty else { return [] }
        let policies: [(name: String, body: ObjectBody)] = self.natPolicies.map { ($0.name, .natPolicy($0.policy)) }
        return policies
            + pools.flatMap { pool in
                pool.addresses.flatMap(\.prefixes).map { prefix in
                    ("\(pool.vrf)/\(prefix)", .route(Route(vrf: pool.vrf, prefix: .v4(prefix), target: .nat)))
                }
            }
    }
}
