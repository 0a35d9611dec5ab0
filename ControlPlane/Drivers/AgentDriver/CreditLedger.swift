// SPDX-License-Identifier: Apache-2.0
// How many packets of one class an agent may still send, so that what is granted and what is being worked on never exceed a limit.

/// Credits of one punt class toward one node.
struct CreditLedger: Equatable, Sendable {
    let limit: Int
    /// Granted on the present lane and not used.
    private(set) var granted = 0
    /// Received and not yet dealt with; survives a lane.
    private(set) var inProcess = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// A new punt lane: the agent starts without credits.
    mutating func laneOpened() { self.granted = 0 }

    /// false if the agent sent more than it was granted.
    mutating func received(_ count: Int) -> Bool {
        guard count <= self.granted else { return false }
        self.granted -= count
        self.inProcess += count
        return true
    }

    mutating func processed(_ count: Int) { self.inProcess = max(0, self.inProcess - count) }

    /// Credits to grant now; 0 while it would not be worth a message.
    mutating func grant() -> Int {
        let room = self.limit - self.granted - self.inProcess
        guard room > 0, room >= self.limit / 8 || self.granted == 0 else { return 0 }
        self.granted += room
        return room
    }
}
