// SPDX-License-Identifier: Apache-2.0
// Answers to callers, gathered while a message is worked through and delivered with one hop per event loop.

import NIOCore

/// Closures waiting to run on their callers' event loops.
struct Completions {
    private var byLoop: [ObjectIdentifier: (loop: any EventLoop, calls: [@Sendable () -> Void])] = [:]

    mutating func add(_ loop: any EventLoop, _ call: @escaping @Sendable () -> Void) {
        self.byLoop[ObjectIdentifier(loop), default: (loop, [])].calls.append(call)
    }

    consuming func deliver() {
        for (loop, calls) in self.byLoop.values {
            loop.execute { for call in calls { call() } }
        }
    }
}
