// SPDX-License-Identifier: Apache-2.0
// Sends what waits as batches within the window, and settles what the agent answers (docs/contract.md section 5).

import AgentContract
import BNGCore
import Fleet
import NIOCore

extension NodeLink {
    /// Sends as much as the window allows.
    func flush() {
        self.flushInjects()
        self.flushCredits()
        guard let association = self.association else { return }
        if association.phase == .open {
            let limits = self.core.configuration.limits
            while !self.queue.isEmpty, association.outstanding.count < limits.batches,
                association.pausedUntil <= .now()
            {
                self.sendBatch(association, limits.batchItems)
            }
            self.beginAuditIfDue()
        }
        association.state.flush()
    }

    private func sendBatch(_ association: Association, _ limit: Int) {
        guard let term = self.term else { return }
        var batch = Wire.Batch()
        batch.batchID = self.nextBatchID
        batch.scope = "node"
        batch.term = term
        var sent: [(item: SendItem, generation: Generation)] = []
        while batch.items.count < limit, let item = self.queue.pop() {
            var wire = Wire.BatchItem()
            var generation: Generation = 0
            switch item {
            case .upsert(let key):
                guard let object = self.intended.object(key) else { continue }
                generation = object.generation
                self.inFlight[key] = generation
                self.snapshot.traffic.upserts += 1
                wire.action = .upsert(Wire.Object(object))
            case .delete(let key):
                guard let pending = self.intended.pendingDeletes[key] else { continue }
                generation = pending
                self.snapshot.traffic.deletes += 1
                wire.action = .delete(
                    .with {
                        $0.family = Wire.Family(key.family)
                        $0.objectID = key.id
                        $0.generation = pending
                    })
            case .acknowledgeFinal(let session):
                wire.action = .acknowledgeFinal(session)
            }
            batch.items.append(wire)
            sent.append((item, generation))
        }
        guard !batch.items.isEmpty else { return }
        self.nextBatchID += 1
        association.outstanding.append(.init(id: batch.batchID, items: sent, sent: .now()))
        association.state.send(.batch(batch))
    }

    /// - Throws: when the result does not belong to the oldest batch, or has not one entry per item.
    func received(_ result: Wire.BatchResult, _ association: Association) throws(ContractError) {
        guard let batch = association.outstanding.first, batch.id == result.batchID else {
            throw ContractError(.unexpected, "batch_result \(result.batchID) is not the oldest batch")
        }
        if result.hasError {
            _ = association.outstanding.popFirst()
            return self.refused(batch, result.error, association)
        }
        guard result.results.count == batch.items.count else {
            throw ContractError(
                .malformed, "\(result.results.count) results for \(batch.items.count) items", path: "5.2")
        }
        _ = association.outstanding.popFirst()
        var completions = Completions()
        for (entry, item) in zip(result.results, batch.items) {
            switch item.item {
            case .upsert(let key): self.settleUpsert(key, item.generation, entry, batch.id, &completions)
            case .delete(let key): self.settleDelete(key, item.generation, entry, &completions)
            case .acknowledgeFinal(let session): self.finalsToAcknowledge.remove(session)
            }
        }
        completions.deliver()
        self.core.needsFlush(self)
    }

    private func settleUpsert(
        _ key: ObjectKey, _ generation: Generation, _ result: Wire.ItemResult, _ batch: UInt64,
        _ completions: inout Completions
    ) {
        if self.inFlight[key] == generation { self.inFlight[key] = nil }
        if result.code == .ok {
            self.refusals[key] = nil
            return self.completeUpserts(
                key, through: max(generation, result.generation), .success(nil), batch, &completions)
        }
        self.snapshot.traffic.refused += 1
        let error = ContractError(result.code, String(result.message.prefix(256)), path: result.fieldPath)
        if result.code == .staleGeneration || result.code == .generationReused, self.intended.generation(key) != nil {
            // The agent is ahead of our memory (a restored backup): go above it; waiters go on waiting.
            self.logger.warning("agent holds a newer generation", metadata: ["object": "\(key)", "error": "\(error)"])
            self.raise(key, above: max(result.generation, generation))
            return
        }
        self.logger.warning(
            "object refused", metadata: ["object": "\(key.family) \(key.id)", "error": "\(error)"])
        if self.intended.generation(key) == generation {
            self.refusals[key] = .init(key: key, generation: generation, error: error)
        }
        self.completeUpserts(key, through: generation, .failure(.refused(error)), batch, &completions)
    }

    private func completeUpserts(
        _ key: ObjectKey, through generation: Generation, _ result: Result<DeleteOutcome?, AgentError>,
        _ batch: UInt64, _ completions: inout Completions
    ) {
        let answered = self.takeWaiters(of: key) {
            $0.wantsObject && $0.generation <= generation && $0.firstBatch <= batch
        }
        for waiter in answered {
            Self.add(waiter, result, to: &completions)
        }
    }

    private func settleDelete(
        _ key: ObjectKey, _ generation: Generation, _ result: Wire.ItemResult, _ completions: inout Completions
    ) {
        guard result.code == .ok else {
            // IN_USE or LIMIT: still pending; the next audit sends it again.
            self.snapshot.traffic.refused += 1
            let error = ContractError(result.code, String(result.message.prefix(256)), path: result.fieldPath)
            self.logger.warning("delete refused", metadata: ["object": "\(key.family) \(key.id)", "error": "\(error)"])
            if result.code == .staleGeneration, self.intended.delete(key, generation: result.generation) != nil {
                self.enqueue(.delete(key))
            }
            return
        }
        self.intended.deleteConfirmed(key, generation: generation)
        if key.family == .session, self.cleared.remove(key.id) != nil { self.acknowledgeFinal(key.id) }
        let final = result.hasFinalCounters ? SessionCounterValues(result.finalCounters) : nil
        for waiter in self.takeWaiters(of: key, where: { !$0.wantsObject && $0.generation <= generation }) {
            Self.add(waiter, .success(DeleteOutcome(finalCounters: final)), to: &completions)
        }
    }

    private func refused(_ batch: Association.Outstanding, _ notice: Wire.ErrorNotice, _ association: Association) {
        let error = ContractError(notice.code, String(notice.message.prefix(256)), path: notice.fieldPath)
        self.logger.error("batch refused", metadata: ["error": "\(error)", "items": "\(batch.items.count)"])
        for (item, generation) in batch.items {
            if case .upsert(let key) = item, self.inFlight[key] == generation { self.inFlight[key] = nil }
        }
        if notice.code == .overload {
            association.pausedUntil = .now() + .milliseconds(Int64(min(max(notice.retryAfterMs, 10), 10_000)))
            return self.queue.prepend(batch.items.map { $0.item })
        }
        if notice.code == .staleTerm { self.snapshot.termIsStale = true }
        var completions = Completions()
        for case (.upsert(let key), let generation) in batch.items {
            self.completeUpserts(key, through: generation, .failure(.refused(error)), batch.id, &completions)
        }
        completions.deliver()
    }

    /// Raises an object above what the agent holds, remembers that if it is a configured one, and sends it.
    func raise(_ key: ObjectKey, above generation: Generation) {
        guard let raised = self.intended.raise(key, above: generation) else { return }
        self.rememberGeneration(key, raised)
        self.enqueue(.upsert(key))
    }

    /// Configured objects keep their generation over restarts; sessions have theirs from their record.
    func rememberGeneration(_ key: ObjectKey, _ generation: Generation) {
        guard key.family != .session, var stored = self.memory.generations[key] else { return }
        stored.generation = generation
        self.memory.generations[key] = stored
        self.core.save(self, [key: stored]) { _ in }
    }
}
