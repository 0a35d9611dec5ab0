// SPDX-License-Identifier: Apache-2.0
// What a simulated node holds: generations and digests by family, as a data plane without packets would. Applies batches, answers audits
// (docs/contract.md, sections 5, 6, 11).

import AgentContract
import AgentProto
import BNGCore
import Fleet
import Foundation

struct SimulatedMaps {
    struct Held {
        var generation: UInt64
        var digest: ObjectDigest
    }

    private struct Family {
        var objects: [UInt64: Held] = [:]
        var digest = ObjectDigest()
        /// Ascending; nil after a change of the set.
        var order: [UInt64]?
    }

    private var families: [Family] = Array(repeating: Family(), count: 32)
    private var finals: Set<UInt64> = []
    private(set) var term: UInt64 = 0
    private var scratch: [UInt8] = []

    var sessions: Int { self.families[Wire.Family.session.rawValue].objects.count }

    func generation(ofSession id: UInt64) -> UInt64? {
        self.families[Wire.Family.session.rawValue].objects[id]?.generation
    }

    func someSession(_ number: Int) -> (id: UInt64, generation: UInt64)? {
        let objects = self.families[Wire.Family.session.rawValue].objects
        guard !objects.isEmpty else { return nil }
        let index = objects.index(objects.startIndex, offsetBy: number % min(objects.count, 64))
        return (objects[index].key, objects[index].value.generation)
    }

    mutating func meet(term: UInt64) { self.term = max(self.term, term) }

    mutating func apply(_ batch: Wire.Batch) -> Wire.BatchResult {
        var result = Wire.BatchResult()
        result.batchID = batch.batchID
        guard batch.scope == "node" else {
            result.error.code = .unknownScope
            return result
        }
        guard batch.term >= self.term else {
            result.error.code = .staleTerm
            return result
        }
        self.term = batch.term
        result.results.reserveCapacity(batch.items.count)
        for item in batch.items {
            switch item.action {
            case .upsert(let object): result.results.append(self.upsert(object))
            case .delete(let delete): result.results.append(self.delete(delete))
            case .acknowledgeFinal(let id):
                self.finals.remove(id)
                result.results.append(
                    .with {
                        $0.family = .session
                        $0.objectID = id
                        $0.code = .ok
                    })
            case nil: result.results.append(.with { $0.code = .unsupported })
            }
        }
        return result
    }

    private mutating func upsert(_ object: Wire.Object) -> Wire.ItemResult {
        var result = Wire.ItemResult()
        result.objectID = object.objectID
        guard let family = object.family, object.objectID != 0, object.generation != 0 else {
            result.code = object.family == nil ? .unsupported : .invalid
            return result
        }
        result.family = family
        let index = family.rawValue
        let held = self.families[index].objects[object.objectID]
        let digest = ObjectDigest(object)
        result.generation = held?.generation ?? 0
        if let held, held.generation > object.generation {
            result.code = .staleGeneration
        } else if let held, held.generation == object.generation {
            result.code = held.digest == digest ? .ok : .generationReused
        } else {
            if let held { self.families[index].digest -= held.digest } else { self.families[index].order = nil }
            self.families[index].digest += digest
            self.families[index].objects[object.objectID] = Held(generation: object.generation, digest: digest)
            result.generation = object.generation
            result.code = .ok
        }
        return result
    }

    private mutating func delete(_ delete: Wire.Delete) -> Wire.ItemResult {
        var result = Wire.ItemResult()
        result.family = delete.family
        result.objectID = delete.objectID
        guard delete.generation != 0, (1..<self.families.count).contains(delete.family.rawValue) else {
            result.code = .invalid
            return result
        }
        let index = delete.family.rawValue
        if let held = self.families[index].objects[delete.objectID] {
            result.generation = held.generation
            guard held.generation <= delete.generation else {
                result.code = .staleGeneration
                return result
            }
            self.families[index].objects[delete.objectID] = nil
            self.families[index].digest -= held.digest
            self.families[index].order = nil
            if delete.family == .session { self.finals.insert(delete.objectID) }
        }
        result.generation = 0
        result.code = .ok
        if delete.family == .session, self.finals.contains(delete.objectID) {
            result.finalCounters.sessionID = delete.objectID
        }
        return result
    }

    func summary(_ request: Wire.AuditRequest, families: ClosedRange<Int>) -> Wire.AuditSummary {
        .with { summary in
            summary.requestID = request.requestID
            summary.families = families.map { number in
                .with {
                    $0.family = Wire.Family(rawValue: number) ?? .unspecified
                    $0.count = UInt64(self.families[number].objects.count)
                    $0.digest = Data(self.families[number].digest.bytes)
                }
            }
        }
    }

    mutating func page(_ request: Wire.AuditPageRequest) -> Wire.AuditPage {
        let index = request.family.rawValue
        guard (1..<self.families.count).contains(index) else { return .init() }
        let order = self.families[index].order ?? self.families[index].objects.keys.sorted()
        self.families[index].order = order
        // The first id above `after`.
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if order[middle] > request.afterObjectID { high = middle } else { low = middle + 1 }
        }
        let end = min(order.count, low + Int(request.limit))
        return .with { page in
            page.requestID = request.requestID
            page.family = request.family
            page.entries = order[low..<end].compactMap { id in
                self.families[index].objects[id].map { held in
                    .with {
                        $0.objectID = id
                        $0.generation = held.generation
                        $0.digest = Data(held.digest.bytes)
                    }
                }
            }
            page.last = end == order.count
        }
    }
}
