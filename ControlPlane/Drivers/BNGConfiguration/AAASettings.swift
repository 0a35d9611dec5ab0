// SPDX-License-Identifier: Apache-2.0
// The sections `aaa:` and `filters:` as values. Plans are read straight into ServicePlan.

import BNGCore
import Subscribers

/// `aaa:`
public struct AAASettings: Sendable, Equatable {
    public enum Source: String, Sendable, CaseIterable { case local, radius }

    /// Order of the questions; empty: nobody is asked and everybody is admitted.
    public var chain: [Source] = []
    /// Of lines whose access domain has none of its own.
    public var userName = UserNameTemplate.mac
    /// Plan of grants that name none; empty: none.
    public var defaultPlan = ""
    public var onReject = RejectPolicy.silence
    public var onUnavailable = OutagePolicy.refuse
    public var users = UserLimitPolicy.replace
    public var accounting = AccountingSettings()
    /// File of local subscribers; empty: none.
    public var subscribers = ""
    /// Key that seals passwords which must be read again (CHAP); empty: none.
    public var keyFile = ""

    init() {}
}

/// `aaa.accounting:`
public struct AccountingSettings: Sendable, Equatable {
    public var enabled = true
    /// Of sessions whose grant and plan say nothing; 0: no interim records.
    public var interimInterval: Seconds = 600
    /// Records that wait on disk at most.
    public var spoolLimit = 5_000_000
}

/// An entry of `filters:`
public struct FilterSettings: Sendable, Equatable {
    public enum Action: String, Sendable, CaseIterable { case permit, deny }
    /// As the customer sees it.
    public enum Direction: String, Sendable, CaseIterable { case up, down, both }

    public struct Rule: Sendable, Equatable {
        public var action = Action.deny
        public var direction = Direction.both
        /// Where packets go to (up) or come from (down); nil: anywhere.
        public var remote: IPPrefix?
        /// Number of the protocol; 0: any.
        public var transport: UInt8 = 0
        /// Ports at the remote end; nil: any.
        public var ports: ClosedRange<UInt16>?

        /// Every address of one family: nodes are told of its two halves.
        public var isWholeFamily: Bool { self.remote?.length == 0 }
    }

    /// Rules of one filter at most; those for every address of one family count twice.
    public static let ruleLimit = 32

    public var name = ""
    /// First match wins.
    public var rules: [Rule] = []
    /// Of packets no rule matches.
    public var defaultAction = Action.permit
}

extension ControllerConfiguration {
    /// What grants may refer to by name.
    public var catalog: PlanCatalog {
        PlanCatalog(
            plans: self.plans, filters: Set(self.filters.map(\.name)), pools: Set(self.pools.map(\.name)),
            prefixPools: Dictionary(
                self.prefixPools.map { ($0.name, $0.length) }, uniquingKeysWith: { first, _ in first }),
            interimInterval: self.aaa.accounting.interimInterval,
            defaultPlan: self.aaa.defaultPlan)
    }

    /// The template that names the lines of an access domain.
    public func userName(in domain: AccessDomainID) -> UserNameTemplate {
        self.accessDomains.first { $0.id == domain }?.userName ?? self.aaa.userName
    }
}
