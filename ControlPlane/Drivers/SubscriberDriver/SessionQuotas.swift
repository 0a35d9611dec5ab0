// SPDX-License-Identifier: Apache-2.0
// PPPoE sessions and dials of each pair of tags and of each node, over all shards: for limits, and for the load that slows PADOs.

import BNGCore
import Synchronization

/// Counts what is limited. A lock and no owner loop: an entry is taken at the first packet of a dial, whose answer must not wait.
final class SessionQuotas: Sendable {
    private struct State {
        /// By line, whoever is on it.
        var lines: [LineKey: Int] = [:]
        var nodes: [NodeName: Int] = [:]
    }

    private let state = Mutex(State())

    enum Limit: Equatable { case line, node }

    /// Counts one more, or says which limit forbids it. 0: no limit.
    func take(_ line: LineKey, node: NodeName, perLine: Int, perNode: Int) -> Limit? {
        self.state.withLock { state in
            let key = LineKey(accessDomain: line.accessDomain, sVLAN: line.sVLAN, cVLAN: line.cVLAN, mac: .zero)
            if perLine > 0, state.lines[key, default: 0] >= perLine { return .line }
            if perNode > 0, state.nodes[node, default: 0] >= perNode { return .node }
            state.lines[key, default: 0] += 1
            state.nodes[node, default: 0] += 1
            return nil
        }
    }

    func giveBack(_ line: LineKey, node: NodeName) {
        self.state.withLock { state in
            let key = LineKey(accessDomain: line.accessDomain, sVLAN: line.sVLAN, cVLAN: line.cVLAN, mac: .zero)
            state.lines[key] = state.lines[key].flatMap { $0 > 1 ? $0 - 1 : nil }
            state.nodes[node] = state.nodes[node].flatMap { $0 > 1 ? $0 - 1 : nil }
        }
    }

    func count(of node: NodeName) -> Int { self.state.withLock { $0.nodes[node] ?? 0 } }
}
