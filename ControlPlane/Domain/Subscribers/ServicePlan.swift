// SPDX-License-Identifier: Apache-2.0
// Plans by name and version, and the profile that a plan and a grant make together.

import BNGCore

/// A service as operators sell it. AAA refers to it by name.
public struct ServicePlan: Equatable, Sendable {
    public var name: String
    /// Raised by whoever changes the plan; shown, so that a line's plan can be told from the present one.
    public var version: UInt32
    public var rateUp: LineRate?
    public var rateDown: LineRate?
    public var filter: String?
    /// Zero: none.
    public var sessionTimeout: Seconds = 0
    public var idleTimeout: Seconds = 0
    public var interimInterval: Seconds?
    /// Tried in order; empty: the access domain's.
    public var pools: [String] = []
    public var dns: [IPv4Address] = []
    /// Pools of prefixes: of the line's own, of addresses, of what is delegated. nil: the access domain's.
    public var linkPool: String?
    public var addressPool: String?
    public var delegationPool: String?
    public var ipv6DNS: [IPv6Address] = []
    /// NAT pool, or `ServiceProfile.noNAT`; nil: the address pool's.
    public var nat: String?
    /// Sessions of one user at once; 0: no limit.
    public var sessionsPerUser: UInt32 = 0
    /// The customer reaches only what the filter lets through, and is to be told so.
    public var isGarden = false

    public init(name: String, version: UInt32 = 1) {
        self.name = name
        self.version = version
    }
}

/// What a session is served with: every question answered.
public struct ServiceProfile: Equatable, Sendable {
    public var plan = ""
    public var planVersion: UInt32 = 0
    public var rateUp: LineRate?
    public var rateDown: LineRate?
    /// Empty: none.
    public var filter = ""
    /// Zero: none.
    public var sessionTimeout: Seconds = 0
    public var idleTimeout: Seconds = 0
    public var interimInterval: Seconds = 0
    /// Pools to try, in order; empty: the access domain's.
    public var pools: [String] = []
    public var address: IPv4Address?
    public var prefixLength: UInt8?
    public var dns: [IPv4Address] = []
    public var routes: [IPv4Prefix] = []
    /// Pools that AAA or the plan names are known; what neither says is the access domain's.
    public var ipv6 = IPv6Grant()
    /// NAT pool, or `noNAT`; nil: the address pool's.
    public var nat: String?
    /// 0: no limit.
    public var sessionsPerUser: UInt32 = 0
    public var isGarden = false

    /// Private addresses, too, are forwarded as they are.
    public static let noNAT = "none"

    public init() {}
}

/// Why a grant cannot be served.
public enum ProfileProblem: Error, Equatable, Sendable, CustomStringConvertible {
    case unknownPlan(String)
    case unknownFilter(String)
    case unknownPool(String)
    /// Its prefixes are not of a length that will do.
    case wrongPool(String, length: Int)
    case rateOutOfRange(UInt64)

    public var description: String {
        switch self {
        case .unknownPlan(let name): return "no plan is named \(name)"
        case .unknownFilter(let name): return "no filter is named \(name)"
        case .unknownPool(let name): return "no pool is named \(name)"
        case .wrongPool(let name, let length): return "pool \(name) gives prefixes of length \(length): no use here"
        case .rateOutOfRange(let rate):
            return "a rate of \(rate) bit/s: expected \(LineRate.limits.lowerBound) to \(LineRate.limits.upperBound)"
        }
    }
}

/// Everything a grant may refer to by name.
public struct PlanCatalog: Sendable, Equatable {
    public var plans: [String: ServicePlan]
    public var filters: Set<String>
    public var pools: Set<String>
    /// Lengths of the prefixes they give.
    public var prefixPools: [String: Int]
    /// For sessions whose grant and plan say nothing; 0: no interim records.
    public var interimInterval: Seconds
    /// Of sessions whose grant names no plan; empty: none.
    public var defaultPlan: String

    public init(
        plans: [ServicePlan] = [], filters: Set<String> = [], pools: Set<String> = [],
        prefixPools: [String: Int] = [:], interimInterval: Seconds = 0, defaultPlan: String = ""
    ) {
        self.plans = Dictionary(plans.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.filters = filters
        self.pools = pools
        self.prefixPools = prefixPools
        self.interimInterval = interimInterval
        self.defaultPlan = defaultPlan
    }

    /// The profile of a grant: what AAA said, else the plan, else the defaults.
    public func profile(of grant: ServiceGrant) throws(ProfileProblem) -> ServiceProfile {
        var plan = ServicePlan(name: "", version: 0)
        let name = grant.plan ?? self.defaultPlan
        if !name.isEmpty {
            guard let known = self.plans[name] else { throw .unknownPlan(name) }
            plan = known
        }
        var profile = ServiceProfile()
        (profile.plan, profile.planVersion, profile.isGarden) = (plan.name, plan.version, plan.isGarden)
        profile.rateUp = grant.rateUp ?? plan.rateUp
        profile.rateDown = grant.rateDown ?? plan.rateDown
        profile.filter = grant.filter ?? plan.filter ?? ""
        profile.sessionTimeout = grant.sessionTimeout ?? plan.sessionTimeout
        profile.idleTimeout = grant.idleTimeout ?? plan.idleTimeout
        profile.interimInterval = grant.interimInterval ?? plan.interimInterval ?? self.interimInterval
        profile.pools = grant.pool.map { [$0] } ?? plan.pools
        (profile.address, profile.prefixLength, profile.routes) = (grant.address, grant.prefixLength, grant.routes)
        profile.dns = grant.dns.isEmpty ? plan.dns : grant.dns
        profile.ipv6 = Self.ipv6(grant.ipv6 ?? IPv6Grant(), plan)
        profile.nat = plan.nat
        profile.sessionsPerUser = grant.portLimit ?? plan.sessionsPerUser
        try self.check(profile)
        return profile
    }

    private static func ipv6(_ grant: IPv6Grant, _ plan: ServicePlan) -> IPv6Grant {
        var result = grant
        result.linkPool = grant.linkPool ?? plan.linkPool
        result.addressPool = grant.addressPool ?? plan.addressPool
        result.delegationPool = grant.delegationPool ?? plan.delegationPool
        result.dns = grant.dns.isEmpty ? plan.ipv6DNS : grant.dns
        return result
    }

    private func check(_ profile: ServiceProfile) throws(ProfileProblem) {
        for rate in [profile.rateUp, profile.rateDown] {
            if let rate, !rate.isValid { throw .rateOutOfRange(rate.bitsPerSecond) }
        }
        if !profile.filter.isEmpty, !self.filters.contains(profile.filter) { throw .unknownFilter(profile.filter) }
        for pool in profile.pools where !self.pools.contains(pool) { throw .unknownPool(pool) }
        try self.check(profile.ipv6.linkPool, IPv6Grant.linkLengths)
        try self.check(profile.ipv6.addressPool, IPv6Grant.addressLengths)
        try self.check(profile.ipv6.delegationPool, IPv6Grant.delegationLengths)
    }
    private func check(_ pool: String?, _ lengths: ClosedRange<Int>) throws(ProfileProblem) {
        guard let pool else { return }
        guard let length = self.prefixPools[pool] else { throw .unknownPool(pool) }
        guard lengths.contains(length) else { throw .wrongPool(pool, length: length) }
    }
}
