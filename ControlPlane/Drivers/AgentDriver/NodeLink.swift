// SPDX-License-Identifier: Apache-2.0
// One node as the driver sees it: what it should hold, what waits to be sent, who waits for an answer, and its association.
// Confined to the server's event loop. Batches, audits, lanes and reports are in the extensions.

import AgentContract
import BNGCore
import Fleet
import Logging
import NIOCore

final class NodeLink {
    /// Somebody who waits until the node holds an object at a generation, or has deleted it.
    struct Waiter {
        enum Answer {
            case upserted(@Sendable (Result<Generation, AgentError>) -> Void)
            case deleted(@Sendable (Result<DeleteOutcome, AgentError>) -> Void)
        }

        var generation: Generation
        var loop: any EventLoop
        var answer: Answer
        /// Results of earlier batches do not answer: they belong to an attempt before this one.
        var firstBatch: UInt64 = 0

        /// Waits for the object to be there, not for it to be gone.
        var wantsObject: Bool {
            if case .upserted = self.answer { return true }
            return false
        }
    }

    /// A running request for session counters.
    struct CounterRequest {
        var sessions: [SessionCounterValues] = []
        var deadline: NIODeadline
        var loop: any EventLoop
        var then: @Sendable (Result<[SessionCounterValues], AgentError>) -> Void
    }

    let name: NodeName
    let core: ServerCore
    var logger: Logger
    var intended = IntendedState()
    var memory: NodeMemory
    /// The configuration is known and its generations are durable.
    var configured = false
    /// As configured, whatever the agent knows.
    var wanted: [NamedObject] = []
    /// The agent knows PCP, or has not been heard yet.
    var mayHavePCP = true
    var queue = SendQueue()
    /// Keys sent and not answered, with the newest generation sent.
    var inFlight: [ObjectKey: Generation] = [:]
    var refusals: [ObjectKey: NodeSnapshot.Refusal] = [:]
    var waiters: [ObjectKey: [Waiter]] = [:]
    /// Final counters that are durable here, not yet acknowledged to the agent.
    var finalsToAcknowledge: Set<UInt64> = []
    var association: Association?
    var term: UInt64?
    var audit = AuditRun()
    var quarantine: [UInt64: HeldObject] = [:]
    /// Unknown sessions an operator had removed: nobody here asks for their final counters.
    var cleared: Set<UInt64> = []
    var credits: [PuntClass: CreditLedger]
    var injects = CircularBuffer<Wire.Inject>(initialCapacity: 16)
    var counterRequests: [UInt64: CounterRequest] = [:]
    var nextRequestID: UInt64 = 1
    var nextBatchID: UInt64 = 1
    var snapshot: NodeSnapshot

    init(name: NodeName, core: ServerCore, memory: NodeMemory, logger: Logger) {
        self.name = name
        self.core = core
        self.memory = memory
        self.logger = logger
        self.logger[metadataKey: "node"] = "\(name)"
        self.snapshot = NodeSnapshot(name: name)
        self.snapshot.identity.kind = (core.configuration.identities[name] ?? .certificate).kind
        let limits = core.configuration.limits
        let carried = PuntClass.allCases.filter(\.isCarried)
        self.credits = Dictionary(
            uniqueKeysWithValues: carried.map { ($0, CreditLedger(limit: limits.credits(of: $0))) })
    }

    // MARK: Requests of the control plane

    func upsert(_ body: ObjectBody, id: UInt64, least: Generation, waiter: Waiter?) {
        let key = ObjectKey(body.family, id)
        let change = self.intended.upsert(body, id: id, least: least)
        if var waiter {
            waiter.generation = change.generation
            if self.refusals[key] != nil { waiter.firstBatch = self.nextBatchID }
            let settled =
                !self.queue.holds(upsert: key) && self.inFlight[key] == nil && self.refusals[key] == nil
                && self.association?.phase == .open
            if case .unchanged = change, settled { return self.answer(waiter, .success(nil)) }
            guard self.queue.count < self.core.configuration.limits.queuedItems else {
                return self.answer(waiter, .failure(.overloaded))
            }
            self.waiters[key, default: []].append(waiter)
        }
        if case .unchanged = change, self.refusals[key] == nil { return }
        self.enqueue(.upsert(key))
    }

    func delete(_ key: ObjectKey, generation: Generation = 0, waiter: Waiter?) {
        guard let deleted = self.intended.delete(key, generation: generation) else {
            if let waiter { self.answer(waiter, .success(DeleteOutcome(finalCounters: nil))) }
            return
        }
        self.refusals[key] = nil
        var completions = Completions()
        for other in self.takeWaiters(of: key, where: \.wantsObject) {
            Self.add(other, .failure(.withdrawn), to: &completions)
        }
        completions.deliver()
        if var waiter {
            waiter.generation = deleted
            self.waiters[key, default: []].append(waiter)
        }
        self.enqueue(.delete(key))
    }

    func acknowledgeFinal(_ session: UInt64) {
        self.finalsToAcknowledge.insert(session)
        self.enqueue(.acknowledgeFinal(session))
    }

    /// Without an association nothing is queued: the audit on connect and the pending deletes restore everything.
    func enqueue(_ item: SendItem) {
        guard self.association != nil else { return }
        self.touch(item)
        if case .upsert = item, self.queue.count >= self.core.configuration.limits.queuedItems { return }
        self.queue.append(item)
        self.core.needsFlush(self)
    }

    private func touch(_ item: SendItem) {
        switch item {
        case .upsert(let key), .delete(let key): self.audit.touched(key)
        case .acknowledgeFinal: break
        }
    }

    // MARK: Answers

    func answer(_ waiter: Waiter, _ result: Result<DeleteOutcome?, AgentError>) {
        var completions = Completions()
        Self.add(waiter, result, to: &completions)
        completions.deliver()
    }

    static func add(_ waiter: Waiter, _ result: Result<DeleteOutcome?, AgentError>, to completions: inout Completions) {
        switch waiter.answer {
        case .upserted(let then):
            let generation = waiter.generation
            completions.add(waiter.loop) { then(result.map { _ in generation }) }
        case .deleted(let then):
            completions.add(waiter.loop) { then(result.map { $0 ?? DeleteOutcome(finalCounters: nil) }) }
        }
    }

    /// Takes out the waiters of `key` for which `chosen` is true.
    func takeWaiters(of key: ObjectKey, where chosen: (Waiter) -> Bool) -> [Waiter] {
        guard let all = self.waiters.removeValue(forKey: key) else { return [] }
        let (taken, rest) = all.partitioned(chosen)
        if !rest.isEmpty { self.waiters[key] = rest }
        return taken
    }

    /// The association is gone. Those who wait for an object go on waiting: it is installed when the node is back.
    func failCounterRequests() {
        var completions = Completions()
        for request in self.counterRequests.values {
            let then = request.then
            completions.add(request.loop) { then(.failure(.unreachable)) }
        }
        self.counterRequests.removeAll()
        completions.deliver()
    }

    /// After the first audit: whoever waits for an object the node turned out to hold already is answered.
    func answerSettledWaiters() {
        var completions = Completions()
        for (key, all) in self.waiters where !self.queue.holds(upsert: key) {
            guard let held = self.intended.generation(key) else { continue }
            let (done, rest) = all.partitioned { $0.wantsObject && $0.generation <= held }
            for waiter in done { Self.add(waiter, .success(nil), to: &completions) }
            self.waiters[key] = rest.isEmpty ? nil : rest
        }
        completions.deliver()
    }

    // MARK: Views

    func makeSnapshot() -> NodeSnapshot {
        var view = self.snapshot
        view.term = self.term ?? 0
        view.intendedSessions = self.intended.count(.session)
        view.queuedItems = self.queue.count + self.inFlight.count
        view.pendingDeletes = self.intended.pendingDeletes.count
        view.synchronized = self.association?.phase == .open && self.queue.isEmpty && self.inFlight.isEmpty
        view.lanes = self.association?.laneNames ?? []
        view.quarantine = self.quarantine.values.sorted { $0.id < $1.id }
        view.refusals = self.refusals.values.sorted { $0.key < $1.key }
        return view
    }
}

extension Array {
    /// The elements for which `chosen` is true, and the others, both in order.
    func partitioned(_ chosen: (Element) -> Bool) -> (chosen: [Element], rest: [Element]) {
        var result: ([Element], [Element]) = ([], [])
        for element in self {
            if chosen(element) { result.0.append(element) } else { result.1.append(element) }
        }
        return result
    }
}
