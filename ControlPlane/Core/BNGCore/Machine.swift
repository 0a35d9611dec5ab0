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
    public private(set) var actions: [Action] = []

    public init(minimumCapacity: Int = 8) {
        self.actions.reserveCapacity(minimumCapacity)
    }

    /// Adds an action; actions are carried out in the order they were added.
    @inlinable
    public mutating func append(_ action: Action) {
        self._append(action)
    }

    @usableFromInline
    mutating func _append(_ action: Action) {
        self.actions.append(action)
    }

    /// Hands every action to `body` in order and leaves the buffer empty, its capacity kept.
    public mutating func drain(_ body: (Action) throws -> Void) rethrows {
        for action in self.actions { try body(action) }
        self.actions.removeAll(keepingCapacity: true)
    }
}

extension ActionBuffer: Equatable where Action: Equatable {}
