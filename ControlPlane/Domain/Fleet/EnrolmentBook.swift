// SPDX-License-Identifier: Apache-2.0
// Nodes that ask to be let in: who waits, who was approved for which node, by whom. A node is its key: a name is what an
// operator, a rule or an earlier certificate gave it.

import BNGCore

/// One key that has asked.
public struct NodeEnrolment: Hashable, Sendable {
    public enum Status: Hashable, Sendable {
        case pending
        case approved(NodeName)
        /// With the reason.
        case rejected(String)
    }

    /// SHA-256 of its SubjectPublicKeyInfo, hexadecimal.
    public var fingerprint: String
    public var requestedName: String
    public var serial: String
    public var address: String
    public var agentVersion: String
    /// Names of its interfaces.
    public var interfaces: [String]
    /// SHA-256 of the endorsement key its TPM has proven; empty: none.
    public var endorsementKey: String
    public var status: Status
    public var firstSeen: UTCTime
    public var lastSeen: UTCTime

    public init(
        fingerprint: String, requestedName: String = "", serial: String = "", address: String = "",
        agentVersion: String = "", interfaces: [String] = [], endorsementKey: String = "", status: Status = .pending,
        firstSeen: UTCTime = .zero, lastSeen: UTCTime = .zero
    ) {
        self.fingerprint = fingerprint
        self.requestedName = requestedName
        self.serial = serial
        self.address = address
        self.agentVersion = agentVersion
        self.interfaces = interfaces
        self.endorsementKey = endorsementKey
        self.status = status
        self.firstSeen = firstSeen
        self.lastSeen = lastSeen
    }
}

/// What a node shows that needs no operator.
public struct ApprovalRule: Hashable, Sendable {
    public enum Evidence: Hashable, Sendable {
        /// SHA-256, hexadecimal; proven by its TPM.
        case endorsementKey(String)
        /// A claim: believed only while nobody has been approved for the node.
        case serial(String)
    }

    public var evidence: Evidence
    public var node: NodeName

    public init(_ evidence: Evidence, node: NodeName) {
        self.evidence = evidence
        self.node = node
    }
}

/// Why an operator's decision cannot be carried out.
public enum EnrolmentProblem: Error, Hashable, Sendable, CustomStringConvertible {
    case unknown(String)
    /// The abbreviation fits several.
    case ambiguous(String)
    case unknownNode(String)
    case nameNeeded(String)

    public var description: String {
        switch self {
        case .unknown(let text): return "no node with \"\(text)\" as fingerprint, serial or name has asked"
        case .ambiguous(let text): return "\"\(text)\" fits more than one: give more of the fingerprint"
        case .unknownNode(let name): return "there is no node \"\(name)\" in the configuration"
        case .nameNeeded(let fingerprint): return "\(fingerprint) asked for no configured name: say which node it is"
        }
    }
}

/// All who have asked.
public struct EnrolmentBook: Hashable, Sendable {
    public enum Decision: Hashable, Sendable {
        case approved(NodeName)
        case pending
        case rejected(String)
        /// Its TPM has to be seen first.
        case needsTPM
        /// Too many wait.
        case full
    }

    public private(set) var entries: [String: NodeEnrolment] = [:]
    private let rules: [ApprovalRule]
    private let nodes: Set<NodeName>
    private let needsTPM: Bool
    private let limit: Int

    /// - Parameters:
    ///   - limit: of those that wait.
    ///   - needsTPM: who shows none is not let in.
    public init(
        entries: [NodeEnrolment], rules: [ApprovalRule], nodes: Set<NodeName>, needsTPM: Bool, limit: Int
    ) {
        for entry in entries { self.entries[entry.fingerprint] = entry }
        self.rules = rules
        self.nodes = nodes
        self.needsTPM = needsTPM
        self.limit = limit
    }

    private var asksForTPM: Bool {
        self.needsTPM
            || self.rules.contains {
                if case .endorsementKey = $0.evidence { return true }
                return false
            }
    }

    /// Takes a request in. `changed` are the entries to be stored before the answer goes out.
    /// - Parameters:
    ///   - showedTPM: whether it was asked for its TPM already.
    ///   - holder: the node its certificate, one of ours, names; nil: it showed none.
    public mutating func asked(
        _ request: NodeEnrolment, showedTPM: Bool, holder: NodeName?, now: UTCTime
    ) -> (decision: Decision, changed: [NodeEnrolment]) {
        var entry = self.entries[request.fingerprint] ?? request
        entry.requestedName = request.requestedName
        entry.serial = request.serial
        entry.address = request.address
        entry.agentVersion = request.agentVersion
        entry.interfaces = request.interfaces
        if self.entries[request.fingerprint] == nil { entry.firstSeen = now }
        entry.lastSeen = now
        switch entry.status {
        case .approved(let node) where self.nodes.contains(node):
            self.entries[entry.fingerprint] = entry
            return (.approved(node), [entry])
        case .approved(let node): return (.rejected("node \(node) is not in the configuration any more"), [])
        case .rejected(let reason): return (.rejected(reason), [])
        case .pending: break
        }
        if let holder, self.nodes.contains(holder) { return self.settle(entry, holder) }
        if self.asksForTPM, !showedTPM { return (.needsTPM, []) }
        if !request.endorsementKey.isEmpty { entry.endorsementKey = request.endorsementKey }
        if let rule = self.rules.first(where: { self.fits($0, entry) }) { return self.settle(entry, rule.node) }
        let waiting = self.entries.values.count { $0.status == .pending }
        guard self.entries[entry.fingerprint] != nil || waiting < self.limit else { return (.full, []) }
        self.entries[entry.fingerprint] = entry
        return (.pending, [entry])
    }

    private func fits(_ rule: ApprovalRule, _ entry: NodeEnrolment) -> Bool {
        switch rule.evidence {
        case .endorsementKey(let key): return key == entry.endorsementKey
        case .serial(let serial):
            return serial == entry.serial && !self.entries.values.contains { $0.status == .approved(rule.node) }
        }
    }

    /// A node has one key: who was approved for it before is not any more.
    private mutating func settle(
        _ entry: NodeEnrolment, _ node: NodeName
    ) -> (decision: Decision, changed: [NodeEnrolment]) {
        var changed = self.entries.values.filter { $0.status == .approved(node) && $0.fingerprint != entry.fingerprint }
            .sorted { $0.fingerprint < $1.fingerprint }
        for index in changed.indices {
            changed[index].status = .rejected("replaced by \(entry.fingerprint.prefix(16))")
        }
        var entry = entry
        entry.status = .approved(node)
        changed.append(entry)
        for entry in changed { self.entries[entry.fingerprint] = entry }
        return (.approved(node), changed)
    }

    /// The one entry an operator means: by the beginning of its fingerprint, its serial, the name it asked for or has.
    public func entry(_ text: String) throws(EnrolmentProblem) -> NodeEnrolment {
        let exact = self.entries.values.filter {
            $0.serial == text || $0.requestedName == text || $0.status == .approved(text)
        }
        let found =
            exact.isEmpty
            ? self.entries.values.filter { text.count >= 4 && $0.fingerprint.hasPrefix(text.lowercased()) } : exact
        // Among several of one name the one that waits is meant.
        let waiting = found.filter { $0.status == .pending }
        let meant = waiting.count == 1 ? waiting : Array(found)
        guard let first = meant.first else { throw .unknown(text) }
        guard meant.count == 1 else { throw .ambiguous(text) }
        return first
    }

    /// - Parameter node: empty: the name it asked for.
    /// - Returns: the entries to be stored, that of the approved key last.
    public mutating func approve(_ text: String, as node: NodeName) throws(EnrolmentProblem) -> [NodeEnrolment] {
        let entry = try self.entry(text)
        let name = node.isEmpty ? entry.requestedName : node
        guard !name.isEmpty else { throw .nameNeeded(String(entry.fingerprint.prefix(16))) }
        guard self.nodes.contains(name) else { throw .unknownNode(name) }
        return self.settle(entry, name).changed
    }

    /// Refuses it from now on, and ends what it was approved for.
    public mutating func reject(_ text: String, reason: String) throws(EnrolmentProblem) -> NodeEnrolment {
        var entry = try self.entry(text)
        entry.status = .rejected(reason)
        self.entries[entry.fingerprint] = entry
        return entry
    }

    /// Forgets it: it may ask again.
    public mutating func forget(_ text: String) throws(EnrolmentProblem) -> NodeEnrolment {
        let entry = try self.entry(text)
        self.entries[entry.fingerprint] = nil
        return entry
    }
}
