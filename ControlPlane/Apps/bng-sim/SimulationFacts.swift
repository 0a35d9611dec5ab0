// SPDX-License-Identifier: Apache-2.0
// What a simulated node has seen, and the sum of all of them as one JSON line.

import Foundation

struct SimulationFacts: Sendable {
    var isConnected = false
    /// An audit was asked of it since it connected.
    var isAudited = false
    var sessions = 0
    var onlineLines = 0
    var associations: UInt64 = 0
    var associationsLost: UInt64 = 0
    var setUps: UInt64 = 0
    var released: UInt64 = 0
    var retries: UInt64 = 0
    var naks: UInt64 = 0
    var items: UInt64 = 0
    var audits: UInt64 = 0
    var auditPages: UInt64 = 0
    var punts: UInt64 = 0
    var puntsDropped: UInt64 = 0
    var injectsRefused: UInt64 = 0
    var renewals: UInt64 = 0
    var faults: UInt64 = 0
    var notices: [String: UInt64] = [:]
    var heartbeatNs: [UInt64] = []
    var isStorming = false
}

/// All nodes at one moment.
struct SimulationReport: Encodable {
    struct Heartbeats: Encodable {
        var count: Int
        var p50Ms: Double
        var p99Ms: Double
        var maxMs: Double
    }

    var seconds: Double
    var nodes: Int
    var connected: Int
    var audited: Int
    /// Nodes that are punting junk.
    var storming: Int
    var sessions: Int
    var online: Int
    var associations: UInt64
    var associationsLost: UInt64
    var setUps: UInt64
    var released: UInt64
    var retries: UInt64
    var naks: UInt64
    var items: UInt64
    var audits: UInt64
    var auditPages: UInt64
    var punts: UInt64
    var puntsDropped: UInt64
    var injectsRefused: UInt64
    var renewals: UInt64
    var faults: UInt64
    var notices: [String: UInt64]
    /// From heartbeat to answer, since the last report.
    var heartbeats: Heartbeats

    init(_ facts: [SimulationFacts], seconds: Double) {
        func sum(_ field: KeyPath<SimulationFacts, UInt64>) -> UInt64 { facts.reduce(0) { $0 + $1[keyPath: field] } }
        let delays = facts.flatMap(\.heartbeatNs).sorted()
        func percentile(_ share: Double) -> Double {
            delays.isEmpty ? 0 : Double(delays[min(delays.count - 1, Int(Double(delays.count) * share))]) / 1_000_000
        }
        self.seconds = seconds
        self.nodes = facts.count
        self.connected = facts.count { $0.isConnected }
        self.audited = facts.count { $0.isAudited }
        self.storming = facts.count { $0.isStorming }
        self.sessions = facts.reduce(0) { $0 + $1.sessions }
        self.online = facts.reduce(0) { $0 + $1.onlineLines }
        self.associations = sum(\.associations)
        self.associationsLost = sum(\.associationsLost)
        self.setUps = sum(\.setUps)
        self.released = sum(\.released)
        self.retries = sum(\.retries)
        self.naks = sum(\.naks)
        self.items = sum(\.items)
        self.audits = sum(\.audits)
        self.auditPages = sum(\.auditPages)
        self.punts = sum(\.punts)
        self.puntsDropped = sum(\.puntsDropped)
        self.injectsRefused = sum(\.injectsRefused)
        self.renewals = sum(\.renewals)
        self.faults = sum(\.faults)
        self.notices = facts.reduce(into: [:]) { all, one in all.merge(one.notices, uniquingKeysWith: +) }
        self.heartbeats = Heartbeats(
            count: delays.count, p50Ms: percentile(0.5), p99Ms: percentile(0.99), maxMs: percentile(1))
    }
}
