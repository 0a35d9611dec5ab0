// SPDX-License-Identifier: Apache-2.0
// What one node should hold: objects with generations, family digests kept as they change, deletes until the node has confirmed them.
// Pure; sending, waiting and persistence are the driver's.

import BNGCore
import Fleet

/// The desired state of one node.
public struct IntendedState: Sendable {
    /// Outside its table, of which up to half is empty.
    private final class Entry<Body: Sendable>: Sendable {
        let generation: Generation
        let digest: ObjectDigest
        let body: Body

        init(generation: Generation, digest: ObjectDigest, body: Body) {
            self.generation = generation
            self.digest = digest
            self.body = body
        }
    }

    // Sessions are kept apart without the enum around them: they are what there is a hundred thousand of.
    private var sessions: [UInt64: Entry<InstalledSession>] = [:]
    private var objects: [ObjectKey: Entry<ObjectBody>] = [:]
    private var digests: [ObjectFamily: ObjectDigest] = [:]
    /// Deletes the node has not confirmed: key and the generation to delete.
    public private(set) var pendingDeletes: [ObjectKey: Generation] = [:]
    private var scratch: [UInt8] = []

    public init() {}

    /// Outcome of an upsert.
    public enum Change: Equatable, Sendable {
        /// The content was already intended, at this generation.
        case unchanged(Generation)
        /// The object is new or its content changed.
        case raised(Generation)

        public var generation: Generation {
            switch self {
            case .unchanged(let generation), .raised(let generation): return generation
            }
        }
    }

    /// Sets the intended content of an object. The generation is raised only if the content differs, or to push a later lease
    /// (docs/contract.md section 6); `least` is the lowest generation the object may have.
    @discardableResult
    public mutating func upsert(_ body: ObjectBody, id: UInt64, least: Generation = 1) -> Change {
        let key = ObjectKey(body.family, id)
        if let held = self.object(key), held.generation >= least, held.body.sameContent(as: body),
            !body.hasLaterLease(than: held.body)
        {
            return .unchanged(held.generation)
        }
        let deleted = self.pendingDeletes.removeValue(forKey: key) ?? 0
        let generation = max(least, (self.generation(key) ?? 0) + 1, deleted &+ 1)
        self.replace(DesiredObject(id: id, generation: generation, body: body))
        return .raised(generation)
    }

    /// Takes an object over as it was stored: content and generation.
    public mutating func load(_ object: DesiredObject) {
        self.pendingDeletes.removeValue(forKey: object.key)
        self.replace(object)
    }

    /// Raises an object above a generation the node was found to hold. nil if the object is not intended.
    @discardableResult
    public mutating func raise(_ key: ObjectKey, above generation: Generation) -> Generation? {
        guard var object = self.object(key) else { return nil }
        guard object.generation <= generation else { return object.generation }
        object.generation = generation + 1
        self.replace(object)
        return object.generation
    }

    /// Ends the intent; the delete is pending until `deleteConfirmed`. Also for objects a node holds unasked (`generation` given).
    /// - Returns: The generation to delete; nil if the object is neither intended nor named with a generation.
    @discardableResult
    public mutating func delete(_ key: ObjectKey, generation: Generation = 0) -> Generation? {
        let held = max(self.generation(key) ?? 0, generation, self.pendingDeletes[key] ?? 0)
        guard held > 0 else { return nil }
        self.remove(key)
        self.pendingDeletes[key] = held
        return held
    }

    /// The data plane has extended a lease: what a node must be given if it loses the session. nil: not that family's.
    public mutating func leaseRenewed(session id: UInt64, ipv4: UTCTime?, ipv6: UTCTime?) {
        guard let held = self.sessions[id] else { return }
        var session = held.body
        if let ipv4, session.leaseExpires < ipv4 { session.leaseExpires = ipv4 }
        if let ipv6, let expires = session.ipv6?.leaseExpires, expires < ipv6 { session.ipv6?.leaseExpires = ipv6 }
        self.sessions[id] = Entry(generation: held.generation, digest: held.digest, body: session)
    }

    /// The node holds no such object at `generation` or below any more.
    public mutating func deleteConfirmed(_ key: ObjectKey, generation: Generation) {
        if let pending = self.pendingDeletes[key], pending <= generation { self.pendingDeletes[key] = nil }
    }

    public func generation(_ key: ObjectKey) -> Generation? {
        key.family == .session ? self.sessions[key.id]?.generation : self.objects[key]?.generation
    }

    public func object(_ key: ObjectKey) -> DesiredObject? {
        if key.family == .session {
            return self.sessions[key.id].map {
                DesiredObject(id: key.id, generation: $0.generation, body: .session($0.body))
            }
        }
        return self.objects[key].map { DesiredObject(id: key.id, generation: $0.generation, body: $0.body) }
    }

    func digest(_ key: ObjectKey) -> ObjectDigest? {
        key.family == .session ? self.sessions[key.id]?.digest : self.objects[key]?.digest
    }

    /// Whether the node holds our content, at a newer generation than ours.
    func isEqual(_ key: ObjectKey, butForGeneration held: HeldObject) -> Bool {
        guard var object = self.object(key), object.generation < held.generation else { return false }
        object.generation = held.generation
        return ObjectDigest(object) == held.digest
    }

    /// Takes over the generation a node holds an equal object at.
    public mutating func adopt(_ key: ObjectKey, generation: Generation) {
        guard var object = self.object(key), object.generation < generation else { return }
        object.generation = generation
        self.replace(object)
    }

    public func count(_ family: ObjectFamily) -> Int {
        family == .session ? self.sessions.count : self.objects.keys.count { $0.family == family }
    }

    /// Sum of the digests of a family's objects.
    public func digest(_ family: ObjectFamily) -> ObjectDigest { self.digests[family] ?? ObjectDigest() }

    /// Ids of a family in ascending order.
    public func sortedIDs(_ family: ObjectFamily) -> [UInt64] {
        family == .session
            ? self.sessions.keys.sorted()
            : self.objects.keys.compactMap { $0.family == family ? $0.id : nil }.sorted()
    }

    /// Keys of every intended object, those referred to before those that refer.
    public var keysInPriorityOrder: [ObjectKey] {
        ObjectFamily.allCases.sorted().flatMap { family in self.sortedIDs(family).map { ObjectKey(family, $0) } }
    }

    private mutating func replace(_ object: DesiredObject) {
        let key = object.key
        let digest: ObjectDigest
        if let held = self.digest(key), self.generation(key) == object.generation,
            self.object(key)?.body.sameContent(as: object.body) == true
        {
            digest = held
        } else {
            if let held = self.digest(key) { self.digests[key.family, default: ObjectDigest()] -= held }
            digest = ObjectDigest(object, scratch: &self.scratch)
            self.digests[key.family, default: ObjectDigest()] += digest
        }
        if case .session(let session) = object.body {
            self.sessions[object.id] = Entry(generation: object.generation, digest: digest, body: session)
        } else {
            self.objects[key] = Entry(generation: object.generation, digest: digest, body: object.body)
        }
    }

    private mutating func remove(_ key: ObjectKey) {
        guard let held = self.digest(key) else { return }
        self.digests[key.family, default: ObjectDigest()] -= held
        if key.family == .session { self.sessions[key.id] = nil } else { self.objects[key] = nil }
    }
}

extension ObjectBody {
    fileprivate func hasLaterLease(than other: ObjectBody) -> Bool {
        guard case .session(let new) = self, case .session(let old) = other else { return false }
        if new.leaseExpires > old.leaseExpires { return true }
        guard let new = new.ipv6, let old = old.ipv6 else { return false }
        return new.leaseExpires > old.leaseExpires
    }
}
