// SPDX-License-Identifier: Apache-2.0
// The servers of one role and the choice among them.

struct ServerGroup {
    var links: [ServerLink] = []
    var policy = RADIUSConfiguration.Policy.failOver

    /// The server to ask next; nil if none is left that lives. One whose connection is down is asked only if nothing else is.
    func choose(for exchange: Exchange) -> ServerLink? {
        let alive = self.links.filter { $0.isAlive && !exchange.tried.contains($0.server.name) }
        let ready = alive.filter(\.isReady)
        let candidates = ready.isEmpty ? alive : ready
        switch self.policy {
        case .failOver: return candidates.first
        case .loadBalance:
            // Equally busy ones, most of all idle ones, take turns.
            let chosen = candidates.min { ($0.load, $0.turn) < ($1.load, $1.turn) }
            chosen?.turn = (self.links.map(\.turn).max() ?? 0) + 1
            return chosen
        }
    }

    func hasAlternative(to link: ServerLink, for exchange: Exchange) -> Bool {
        self.links.contains { $0 !== link && $0.isAlive && $0.isReady && !exchange.tried.contains($0.server.name) }
    }
}
