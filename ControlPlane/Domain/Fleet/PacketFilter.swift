// SPDX-License-Identifier: Apache-2.0
// Filters as a node applies them to a session's packets: stateless rules on the side that is not the subscriber.

import BNGCore

public enum FilterAction: UInt8, Sendable { case permit = 1, deny = 2 }

/// Seen from the subscriber.
public enum FilterDirection: UInt8, Sendable { case up = 1, down = 2, both = 3 }

/// Matches a packet when every part that is given matches.
public struct FilterRule: Hashable, Sendable {
    /// Protocols whose header begins with two ports: TCP, UDP, DCCP, SCTP, UDP-Lite.
    public static let protocolsWithPorts: Set<UInt8> = [6, 17, 33, 132, 136]

    public var action: FilterAction
    public var direction: FilterDirection
    /// Destination of a packet from the line, source of one to it; nil: any of both families. Length 1-32, 1-128.
    public var remote: IPPrefix?
    /// IP protocol number; 0: any.
    public var protocolNumber: UInt8
    /// The remote side's ports, from 1 on; nil: any. Only for `protocolsWithPorts`. A fragment without ports matches no rule that
    /// has them.
    public var remotePorts: ClosedRange<UInt16>?

    public init(
        action: FilterAction, direction: FilterDirection = .both, remote: IPPrefix? = nil, protocolNumber: UInt8 = 0,
        remotePorts: ClosedRange<UInt16>? = nil
    ) {
        self.action = action
        self.direction = direction
        self.remote = remote
        self.protocolNumber = protocolNumber
        self.remotePorts = remotePorts
    }

    /// Whether a node would accept it.
    public var isValid: Bool {
        if let remote = self.remote, remote.length == 0 { return false }
        guard let ports = self.remotePorts else { return true }
        return ports.lowerBound > 0 && Self.protocolsWithPorts.contains(self.protocolNumber)
    }
}

/// Rules in order, the first that matches decides.
public struct PacketFilter: Hashable, Sendable {
    /// Largest number of rules.
    public static let ruleLimit = 32

    public var rules: [FilterRule]
    /// When no rule matches.
    public var defaultAction: FilterAction

    public init(rules: [FilterRule], defaultAction: FilterAction) {
        self.rules = rules
        self.defaultAction = defaultAction
    }
}
