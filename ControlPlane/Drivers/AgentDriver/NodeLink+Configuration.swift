// SPDX-License-Identifier: Apache-2.0
// Configured objects of a node: named, with generations that survive restarts, so that equal content stays an equal object.

import AgentContract
import BNGCore
import Fleet

/// An object of the configuration; its id follows from family and name.
public struct NamedObject: Sendable, Equatable {
    public var name: String
    public var body: ObjectBody

    public init(name: String, body: ObjectBody) {
        self.name = name
        self.body = body
    }

    public var key: ObjectKey { ObjectKey(self.body.family, namedObjectID(self.body.family, self.name)) }
}

extension NodeLink {
    /// Makes these the node's configured objects. Sent once their generations are durable.
    func configure(_ objects: [NamedObject], then done: @escaping @Sendable () -> Void) {
        self.wanted = objects
        self.store(objects.map { self.adapted($0) }, then: done)
    }

    /// The node's capabilities are known: what an older agent would refuse whole is told it without what it does not know.
    func adaptConfiguration() {
        guard !self.wanted.isEmpty, (self.snapshot.capabilities["pcp"] != nil) != self.mayHavePCP else { return }
        self.mayHavePCP.toggle()
        self.configured = false
        self.store(self.wanted.map { self.adapted($0) }, then: {})
    }

    private func adapted(_ object: NamedObject) -> NamedObject {
        guard !self.mayHavePCP else { return object }
        var object = object
        switch object.body {
        case .natPolicy(var policy):
            policy.pcp = false
            object.body = .natPolicy(policy)
        case .guardRates(let rates): object.body = .guardRates(rates.filter { $0.puntClass != .pcp })
        default: break
        }
        return object
    }

    private func store(_ objects: [NamedObject], then done: @escaping @Sendable () -> Void) {
        var changed: [ObjectKey: StoredGeneration] = [:]
        for object in objects {
            let key = object.key
            let content = ObjectDigest(DesiredObject(id: key.id, generation: 0, body: object.body))
            let stored = self.memory.generations[key]
            guard stored?.content != content else { continue }
            changed[key] = StoredGeneration(generation: (stored?.generation ?? 0) + 1, content: content)
        }
        guard !changed.isEmpty else {
            self.apply(objects)
            return done()
        }
        self.core.save(self, changed) { link in
            link.memory.generations.merge(changed) { $1 }
            link.apply(objects)
            done()
        }
    }

    private func apply(_ objects: [NamedObject]) {
        let keys = Set(objects.map(\.key))
        let old = ObjectFamily.allCases.filter { $0 != .session }.flatMap { family in
            self.intended.sortedIDs(family).map { ObjectKey(family, $0) }
        }
        for object in objects.sorted(by: { $0.key < $1.key }) {
            let key = object.key
            guard let generation = self.memory.generations[key]?.generation else { continue }
            if self.intended.generation(key) == generation { continue }
            self.intended.load(DesiredObject(id: key.id, generation: generation, body: object.body))
            self.enqueue(.upsert(key))
        }
        for key in old.sorted(by: >) where !keys.contains(key) {
            self.intended.delete(key)
            self.enqueue(.delete(key))
        }
        self.configured = true
        self.startWhenReady()
    }
}
