// SPDX-License-Identifier: Apache-2.0
// The two sources of an address nobody holds: never-used ones by counting, returned ones in order of return.

import BNGCore

/// Walks the ranges once, each address at most once.
struct FreshAddresses: Sendable {
    private let ranges: [IPv4Range]
    private var range = 0
    private var offset: UInt32 = 0

    init(_ ranges: [IPv4Range]) {
        self.ranges = ranges
    }

    mutating func next() -> IPv4Address? {
        while self.range < self.ranges.count {
            let current = self.ranges[self.range]
            if Int(self.offset) < current.count {
                defer { self.offset += 1 }
                return IPv4Address(rawValue: current.first.rawValue + self.offset)
            }
            self.range += 1
            self.offset = 0
        }
        return nil
    }
}

/// Returned addresses, the one to be ready first in front (a binary heap). Entries may be stale; the pool checks on taking.
struct ReturnQueue: Sendable {
    private struct Entry: Sendable {
        var readyAt: UTCTime
        var order: UInt64
        var address: IPv4Address

        static func < (a: Entry, b: Entry) -> Bool {
            a.readyAt == b.readyAt ? a.order < b.order : a.readyAt < b.readyAt
        }
    }

    private var heap: [Entry] = []
    private var latest: [IPv4Address: UInt64] = [:]
    private var order: UInt64 = 0

    /// Entries, stale ones included.
    var count: Int { self.heap.count }

    mutating func push(_ address: IPv4Address, readyAt: UTCTime) {
        // Customers who come back to their own address leave stale entries that nobody pops.
        if self.heap.count > 2 * self.latest.count + 64 { self.dropStale() }
        self.order += 1
        self.latest[address] = self.order
        self.heap.append(Entry(readyAt: readyAt, order: self.order, address: address))
        self.siftUp(self.heap.count - 1)
    }

    /// Removes and returns the first entry that is ready; forgets the stale ones in front of it.
    mutating func popReady(_ now: UTCTime) -> IPv4Address? {
        guard let address = self.firstReady(now) else { return nil }
        self.latest[address] = nil
        self.removeFirst()
        return address
    }

    /// The first entry that is ready; forgets the stale ones in front of it.
    mutating func firstReady(_ now: UTCTime) -> IPv4Address? {
        while let first = self.heap.first {
            if self.latest[first.address] == first.order { return first.readyAt > now ? nil : first.address }
            self.removeFirst()
        }
        return nil
    }

    private mutating func dropStale() {
        self.heap = self.heap.filter { self.latest[$0.address] == $0.order }
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
