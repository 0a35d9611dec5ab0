// SPDX-License-Identifier: Apache-2.0
// The shape of every protocol and life-cycle automaton: events and time in, actions out, no I/O.

/// A pure state machine. A driver owns the sockets and timers, feeds events and carries out the actions.
public protocol Machine: Sendable {
    associatedtype Event: Sendable
    associatedtype Action: Sendable

    /// Handles one event. `now` serves timers only; durable deadlines are `UTCTime` values inside events.
    mutating func handle(_ event: Event, at now: ContinuousClock.Instant, into actions: inout ActionBuffer<Action>)
}

/// A buffer of actions, owned and reused by the driver so that steady state allocates nothing.
public struct ActionBuffer<Action: Sendable>: Sendable {
    @usableFromInline var pending: [Action] = []

    public init(minimumCapacity: Int = 8) {
        self.pending.reserveCapacity(minimumCapacity)
    }

    @inlinable public var actions: [Action] { self.pending }

    /// Adds an action; actions are carried out in the order they were added.
    @inlinable
    public mutating func append(_ action: Action) {
        self.pending.append(action)
    }

    /// Hands every action to `body` in order and leaves the buffer empty, its capacity kept.
    @inlinable
    public mutating func drain(_ body: (Action) throws -> Void) rethrows {
        for action in self.pending { try body(action) }
        self.pending.removeAll(keepingCapacity: true)
    }
}

extension ActionBuffer: Equatable where Action: Equatable {}
