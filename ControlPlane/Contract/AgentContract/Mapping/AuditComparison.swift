// SPDX-License-Identifier: Apache-2.0
// Compares a node's audit pages with the intended state, page by page, one family at a time.

import AgentProto
import BNGCore
import Fleet

/// What a node said it holds of one object.
public struct HeldObject: Hashable, Sendable {
    public var id: UInt64
    public var generation: Generation
    public var digest: ObjectDigest

    public init(id: UInt64, generation: Generation, digest: ObjectDigest) {
        self.id = id
        self.generation = generation
        self.digest = digest
    }

    /// - Throws: `MALFORMED` unless the digest has 16 bytes.
    public init(_ entry: Wire.AuditEntry) throws(ContractError) {
        guard let digest = ObjectDigest(entry.digest) else {
            throw ContractError(.malformed, "a digest has 16 bytes", path: "7.3.3")
        }
        self.init(id: entry.objectID, generation: entry.generation, digest: digest)
    }
}

/// The running comparison of one family.
public struct AuditComparison: Sendable {
    public let family: ObjectFamily
    private let intended: [UInt64]
    private var next = 0
    /// Id after which the next page is to be asked for.
    public private(set) var after: UInt64 = 0

    public private(set) var missing: [UInt64] = []
    public private(set) var extra: [HeldObject] = []
    public private(set) var different: [HeldObject] = []
    /// Equal in content but for a generation higher than ours (a lease pushed, or a store restored from a backup): to be adopted.
    public private(set) var ahead: [HeldObject] = []
    public private(set) var held = 0

    public init(_ family: ObjectFamily, of state: IntendedState) {
        self.family = family
        self.intended = state.sortedIDs(family)
    }

    /// Takes a page in. Objects for which `changing` is true (touched since the audit began) are left alone.
    /// - Throws: `MALFORMED` when ids do not ascend: a peer that pages in circles would otherwise keep us for ever.
    public mutating func add(
        _ page: [HeldObject], last: Bool, state: IntendedState, changing: (UInt64) -> Bool
    ) throws(ContractError) {
        for entry in page {
            guard entry.id > self.after else {
                throw ContractError(.malformed, "audit ids do not ascend", path: "7.3.1")
            }
            self.after = entry.id
            self.held += 1
            self.skipMissing(below: entry.id, state: state, changing: changing)
            let known = self.next < self.intended.count && self.intended[self.next] == entry.id
            if known { self.next += 1 }
            if changing(entry.id) { continue }
            let key = ObjectKey(self.family, entry.id)
            if let digest = state.digest(key) {
                if digest == entry.digest, state.generation(key) == entry.generation { continue }
                if state.isEqual(key, butForGeneration: entry) {
                    self.ahead.append(entry)
                } else {
                    self.different.append(entry)
                }
            } else if state.pendingDeletes[key] == nil {
                self.extra.append(entry)
            }
        }
        guard !page.isEmpty || last else { throw ContractError(.malformed, "an empty audit page that is not the last") }
        if last { self.skipMissing(below: nil, state: state, changing: changing) }
    }

    private mutating func skipMissing(below id: UInt64?, state: IntendedState, changing: (UInt64) -> Bool) {
        while self.next < self.intended.count, id.map({ self.intended[self.next] < $0 }) ?? true {
            let candidate = self.intended[self.next]
            self.next += 1
            if !changing(candidate), state.generation(ObjectKey(self.family, candidate)) != nil {
                self.missing.append(candidate)
            }
        }
    }

    /// The outcome in numbers.
    public func outcome(intended: Int) -> AuditOutcome {
        AuditOutcome(
            family: self.family, intended: intended, installed: self.held, missing: self.missing.count,
            extra: self.extra.count, different: self.different.count)
    }
}
