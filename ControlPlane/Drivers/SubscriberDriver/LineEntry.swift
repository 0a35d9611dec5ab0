// SPDX-License-Identifier: Apache-2.0
// What a shard keeps of one line: its protocol machine, its session, and how to answer it.

import BNGCore
import DHCPv4
import NIOCore
import Subscribers

/// State of one line, touched only on its shard's loop.
final class LineEntry {
    let line: LineKey
    let pool: PoolPolicy
    var dhcp: DHCPv4ServerMachine
    var session: SessionMachine?
    /// Of the latest request; nil for a session restored from the store until its client speaks.
    var path: ReplyPath?
    var presentation: SessionPresentation?
    var offerTimer: Scheduled<Void>?
    /// Why the pool refused, for the protocol's answer.
    var denial: DHCPv4ServerMachine.Denial = .unavailable

    /// Counted among the clients that have asked and hold nothing yet.
    var isPending = false
    /// The node has held the session.
    var hasStarted = false

    init(line: LineKey, pool: PoolPolicy, boundTo: IPv4Address? = nil) {
        self.line = line
        self.pool = pool
        self.dhcp = DHCPv4ServerMachine(parameters: pool.parameters, boundTo: boundTo)
    }

    /// The same MAC behind another circuit of a shared VLAN while the first one's session lives: the data plane could not tell
    /// their frames apart, so the later one is refused.
    func isClaimedByAnotherCircuit(_ request: DHCPRequestFrame) -> Bool {
        guard let record = self.session?.record, !record.option82.isEmpty,
            let option82 = request.message.options[DHCPv4OptionCode.relayAgentInformation]
        else { return false }
        return record.option82 != Array(option82)
    }

    var isForgettable: Bool { self.session == nil && self.dhcp.isIdle }
}

extension SessionPresentation {
    /// What a request says of its client. A unicast renewal bypasses the access node: what that inserted before still holds.
    init(_ request: DHCPRequestFrame, line: LineKey, known: SessionRecord?) {
        let options = request.message.options
        let printable = options[DHCPv4OptionCode.hostName]?.filter { $0 > 0x20 && $0 < 0x7f } ?? []
        self.init(
            tags: request.path.tags, relayMAC: line.relay == .zero ? .zero : request.path.peerMAC,
            clientID: options[DHCPv4OptionCode.clientIdentifier].map(Array.init) ?? [],
            option82: options[DHCPv4OptionCode.relayAgentInformation].map(Array.init) ?? known?.option82 ?? [],
            hostName: String(decoding: printable.prefix(64), as: UTF8.self))
    }
}

extension PoolPolicy {
    /// What the slow path's replies carry: the same facts the data plane's template holds.
    var parameters: DHCPv4Parameters {
        DHCPv4Parameters(
            serverIdentifier: self.serverIdentifier, gateway: self.template.gateway, netmask: self.prefix.netmask,
            lease: self.template.lease, renewal: self.template.renewal, rebinding: self.template.rebinding,
            options: self.template.options.map { .init(code: $0.code, data: $0.data) })
    }
}
