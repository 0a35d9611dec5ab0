// SPDX-License-Identifier: Apache-2.0
// What a shard keeps of a line's DHCPv6 client while something is under way: the machine, the way back, what is offered.

import BNGCore
import DHCPv6
import NIOCore
import Subscribers

/// Touched only on its shard's loop. What a client holds is in the session's record: between exchanges there is none of these.
final class DHCPv6Exchange {
    struct Question {
        var key: DHCPv6AssociationKey
        var wish: IPv6Prefix?
        /// Only the wish will do.
        var isExact: Bool
    }

    var machine: DHCPv6ServerMachine
    /// Of the latest message.
    var source: IPv6Address
    /// Behind a layer-3 relay.
    var origin: [UInt8]?
    var request: DHCPv6Packet
    /// Reserved in pools and not yet promised.
    var offered: [DHCPv6AssociationKey: IPv6Details.Resource] = [:]
    /// To be in force before the reply.
    var awaited: Set<DHCPv6Binding> = []
    /// What another host was seen to use.
    var declined: Set<IPv6Prefix> = []
    var offerTimer: Scheduled<Void>?

    init(machine: DHCPv6ServerMachine, request: DHCPv6Packet, from frame: IPv6Frame) {
        self.machine = machine
        self.request = request
        (self.source, self.origin, self.link) = (frame.source, frame.origin, frame.link)
    }

    /// The client's, as its relay names it.
    var link: IPv6Address?

    /// Nothing is offered or asked for.
    var isQuiet: Bool { self.offered.isEmpty && !self.machine.isBusy }
}

extension IPv6Details {
    /// Nobody else holds it, as far as either says who it is.
    func isHeld(by client: DUID?) -> Bool {
        guard let client, !self.clientID.isEmpty else { return true }
        return self.clientID == client.bytes
    }
}

extension IPv6Details.Binding {
    var machineBinding: DHCPv6Binding {
        let key = DHCPv6AssociationKey(self.isDelegation ? .delegation : .nonTemporary, self.iaid)
        let prefix = self.resource.prefix
        return DHCPv6Binding(key, self.isDelegation ? .prefix(prefix) : .address(prefix.address))
    }
}

extension DHCPv6Lease.Resource {
    /// An address as a prefix of length 128.
    var prefix: IPv6Prefix {
        switch self {
        case .prefix(let prefix): return prefix
        case .address(let address): return IPv6Prefix(holding: address, length: 128)
        }
    }
}
