// SPDX-License-Identifier: Apache-2.0
// The store in the words of the subscriber plane and of the agent driver.

import AccountingDriver
import AgentContract
import AgentDriver
import BNGCore
import Fleet
import Store
import SubscriberDriver
import Subscribers

struct SessionStoreAdapter: SessionStoring {
    let store: Store
    let issuer: UInt16

    func submit(_ operations: [SessionOperation], then done: @escaping @Sendable (Bool) -> Void) {
        var stored: [StoreOperation] = []
        stored.reserveCapacity(operations.count + 1)
        for operation in operations {
            switch operation {
            case .put(let record): stored.append(.putSession(record))
            case .renew(let id, let until): stored.append(.renewLease(id, until: until))
            case .renewIPv6(let id, let until): stored.append(.renewIPv6Lease(id, until: until))
            case .rest(let sticky, let prefixes): Self.append(sticky, prefixes, to: &stored)
            case .restNAT(let rest, let id): stored.append(.restNAT(rest, of: id))
            case .end(let record, let sticky, let prefixes):
                stored.append(.endSession(record))
                Self.append(sticky, prefixes, to: &stored)
            case .account(let record): stored.append(.putAccounting(record))
            case .count(let id, let totals, let base): stored.append(.countSession(id, totals, base: base))
            case .note(let note): stored.append(.putNote(note))
            case .reserveSessionCounters(let limit):
                stored.append(.reserveSessionCounters(issuer: self.issuer, limit: limit))
            }
        }
        self.store.submit(stored) { result in
            if case .success = result { done(true) } else { done(false) }
        }
    }
}

extension SessionStoreAdapter {
    private static func append(
        _ sticky: StickyBinding?, _ prefixes: [StickyPrefixBinding], to operations: inout [StoreOperation]
    ) {
        if let sticky { operations.append(.putBinding(sticky)) }
        operations += prefixes.map { .putPrefixBinding($0) }
    }

    func lastGrant(of line: LineKey, then done: @escaping @Sendable (ServiceGrant?) -> Void) {
        // Reading waits for the disk: not on a shard's thread.
        Task { done((try? self.store.lastGrant(of: line)) ?? nil) }
    }
}

struct AccountingStoreAdapter: AccountingStoring {
    let store: Store

    func oldestRecords(limit: Int) throws -> [AccountingRecord] { try self.store.accounting(after: 0, limit: limit) }

    func remove(_ sequences: [UInt64], then done: @escaping @Sendable (Bool) -> Void) {
        self.store.submit([.removeAccounting(sequences)]) { result in
            if case .success = result { done(true) } else { done(false) }
        }
    }
}

struct SpoolOutlet: AccountingOutlet {
    let spool: AccountingSpool

    func acceptsInterim() -> Bool { self.spool.acceptsInterim() }
    func stored(_ records: [AccountingRecord]) { self.spool.stored(records) }
}

struct NodeStoreAdapter: AgentNodeStore {
    let store: Store

    func raiseTerm(_ node: NodeName, then: @escaping @Sendable (Result<UInt64, any Error>) -> Void) {
        let scope = "node/\(node)"
        let term: UInt64
        do {
            term = try self.store.term(scope: scope) + 1
        } catch {
            return then(.failure(error))
        }
        self.store.submit([.saveTerm(scope: scope, term: term)]) { result in
            then(result.map { term }.mapError { $0 })
        }
    }

    func saveSessionEpoch(
        _ node: NodeName, _ epoch: UInt64, then: @escaping @Sendable (Result<Void, any Error>) -> Void
    ) {
        self.store.submit([.saveSessionEpoch(node: node, epoch: epoch)]) { then($0.mapError { $0 }) }
    }

    func saveGenerations(
        _ node: NodeName, _ generations: [ObjectKey: StoredGeneration],
        then: @escaping @Sendable (Result<Void, any Error>) -> Void
    ) {
        let operations = generations.map { key, stored in
            StoreOperation.saveGeneration(
                node: node, key: key, generation: stored.generation, content: stored.content.bytes)
        }
        self.store.submit(operations) { then($0.mapError { $0 }) }
    }
}
