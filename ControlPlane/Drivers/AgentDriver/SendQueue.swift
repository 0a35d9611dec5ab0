// SPDX-License-Identifier: Apache-2.0
// What is to be sent to one node, in order: keys, not contents, so that a later change of a waiting object is sent once.

import BNGCore
import Fleet
import NIOCore

/// One thing to tell a node.
enum SendItem: Equatable, Sendable {
    case upsert(ObjectKey)
    case delete(ObjectKey)
    case acknowledgeFinal(UInt64)
}

/// An ordered queue of items with each upsert in it at most once.
struct SendQueue {
    private var items = CircularBuffer<SendItem>(initialCapacity: 64)
    private var upserts: Set<ObjectKey> = []

    var count: Int { self.items.count }
    var isEmpty: Bool { self.items.isEmpty }

    func holds(upsert key: ObjectKey) -> Bool { self.upserts.contains(key) }

    mutating func append(_ item: SendItem) {
        if case .upsert(let key) = item, !self.upserts.insert(key).inserted { return }
        self.items.append(item)
    }

    mutating func pop() -> SendItem? {
        guard let item = self.items.popFirst() else { return nil }
        if case .upsert(let key) = item { self.upserts.remove(key) }
        return item
    }

    /// Puts `first` in front of what waits.
    mutating func prepend(_ first: [SendItem]) {
        let waiting = self.items
        self.removeAll()
        for item in first { self.append(item) }
        for item in waiting { self.append(item) }
    }

    mutating func removeAll() {
        self.items.removeAll(keepingCapacity: true)
        self.upserts.removeAll(keepingCapacity: true)
    }
}
