// SPDX-License-Identifier: Apache-2.0
// What sessions gave back, in the order it may be given again.

import BNGCore

/// Returned addresses or prefixes, the one to be ready first in front (a binary heap). Entries may be stale; the pool checks on taking.
struct ReturnQueue<Resource: Hashable & Sendable>: Sendable {
    private struct Entry: Sendable {
        var readyAt: UTCTime
        var order: UInt64
        var resource: Resource

        static func < (a: Entry, b: Entry) -> Bool {
            a.readyAt == b.readyAt ? a.order < b.order : a.readyAt < b.readyAt
        }
    }

    private var heap: [Entry] = []
    private var latest: [Resource: UInt64] = [:]
    private var order: UInt64 = 0

    /// Entries, stale ones included.
    var count: Int { self.heap.count }

    mutating func push(_ resource: Resource, readyAt: UTCTime) {
        // Customers who come back to their own address leave stale entries that nobody pops.
        if self.heap.count > 2 * self.latest.count + 64 { self.dropStale() }
        self.order += 1
        self.latest[resource] = self.order
        self.heap.append(Entry(readyAt: readyAt, order: self.order, resource: resource))
        self.siftUp(self.heap.count - 1)
    }

    /// Removes and returns the first entry that is ready; forgets the stale ones in front of it.
    mutating func popReady(_ now: UTCTime) -> Resource? {
        guard let resource = self.firstReady(now) else { return nil }
        self.latest[resource] = nil
        self.removeFirst()
        return resource
    }

    /// The first entry that is ready; forgets the stale ones in front of it.
    mutating func firstReady(_ now: UTCTime) -> Resource? {
        while let first = self.heap.first {
            if self.latest[first.resource] == first.order { return first.readyAt > now ? nil : first.resource }
            self.removeFirst()
        }
        return nil
    }

    private mutating func dropStale() {
        self.heap = self.heap.filter { self.latest[$0.resource] == $0.order }
        // An ascending array is a heap.
        self.heap.sort { $0 < $1 }
    }

    private mutating func removeFirst() {
        let last = self.heap.removeLast()
        guard !self.heap.isEmpty else { return }
        self.heap[0] = last
        self.siftDown(0)
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.heap[child] < self.heap[parent] else { return }
            self.heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < self.heap.count {
                if self.heap[child] < self.heap[least] { least = child }
            }
            guard least != parent else { return }
            self.heap.swapAt(parent, least)
            parent = least
        }
    }
}
