// SPDX-License-Identifier: Apache-2.0
// What a group keeps of one lease.

import BNGCore
import LeaseClient

/// Touched only on its group's loop, hence @unchecked.
final class Lease: @unchecked Sendable {
    let order: LeaseOrder
    var machine: LeaseMachine<IPPrefix>
    /// Called once.
    var done: ((Result<AcquiredLease, AcquireFailure>) -> Void)?
    /// Of the exchange under way.
    var transaction: UInt32?
    var began = ContinuousClock.Instant.now
    /// The server asked last that has not answered since.
    var asked: Int?
    /// Those asked in this exchange, each once a round.
    var tried: Set<Int> = []
    var deadline: ContinuousClock.Instant?
    var isQueued = false
    /// The second exchange of an acquisition has a transaction of its own.
    var requested = false
    /// Another lease with its identity is still there.
    var isWaiting = false

    init(_ order: LeaseOrder, _ machine: LeaseMachine<IPPrefix>) {
        self.order = order
        self.machine = machine
    }

    func finish(_ result: Result<AcquiredLease, AcquireFailure>) {
        let done = self.done
        self.done = nil
        done?(result)
    }
}
