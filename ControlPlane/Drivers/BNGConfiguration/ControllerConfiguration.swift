// SPDX-License-Identifier: Apache-2.0
// The configuration of a controller as values: what a valid file says, defaults filled in. docs/operate/configuration.md
// explains every key.

import Addressing
import BNGCore
import Fleet
import Subscribers

/// All of one configuration file.
public struct ControllerConfiguration: Sendable, Equatable {
    public var controller = ControllerSettings()
    public var log = LogSettings()
    public var admin = AdminSettings()
    public var agents = AgentSettings()
    public var identity = IdentitySettings()
    public var attestationPolicies: [AttestationPolicySettings] = []
    public var accessDomains: [AccessDomain] = []
    public var nodes: [NodeSettings] = []
    public var pools: [Pool] = []
    public var prefixPools: [PrefixPoolSettings] = []
    public var natPolicies: [NATPolicySettings] = []
    public var natPools: [NATPoolSettings] = []
    public var natRecords = NATRecordsSettings()
    public var dhcpServers: [DHCPServersSettings] = []
    public var guardRates: [GuardRate] = []
    public var plans: [ServicePlan] = []
    public var filters: [FilterSettings] = []
    public var aaa = AAASettings()
    /// nil: no RADIUS.
    public var radius: RADIUSSettings?

    init() {}
}

/// `controller:`
public struct ControllerSettings: Sendable, Equatable {
    public enum Synchronous: String, Sendable, CaseIterable { case full, normal }

    /// Issuer number of session ids.
    public var id: UInt16 = 0
    public var state = ""
    public var synchronous = Synchronous.full
    public var shards = 1
    /// How long ended sessions stay in the history.
    public var history: Seconds = 2_592_000
    /// How long the NAT log tells of a block that was returned.
    public var natLog: Seconds = 31_536_000
}

/// `log:`
public struct LogSettings: Sendable, Equatable {
    public enum Level: String, Sendable, CaseIterable { case trace, debug, info, notice, warning, error, critical }
    public enum Format: String, Sendable, CaseIterable { case text, json }

    public var level = Level.info
    public var format = Format.text
}

/// `admin:`
public struct AdminSettings: Sendable, Equatable {
    public var socket = "/run/bng/admin.sock"
    /// Group whose members may use the socket beside root and the controller's own user; empty: none.
    public var group = ""
    /// nil: no HTTP.
    public var http: HostPort?
}

public struct HostPort: Sendable, Equatable {
    public var host: String
    public var port: Int
}

/// `agents:`
public struct AgentSettings: Sendable, Equatable {
    public enum Listener: Sendable, Equatable {
        case unix(path: String)
        case tls(HostPort, certificate: String, key: String, authority: String)
    }

    public var heartbeatMs: UInt32 = 1_000
    public var heartbeatTimeoutMs: UInt32 = 5_000
    public var auditIntervalMs: UInt32 = 60_000
    public var listen: [Listener] = []
}

/// An entry of `access-domains:`
public struct AccessDomain: Sendable, Equatable {
    public var name = ""
    public var id: AccessDomainID = 0
    /// The first serves the lines themselves; a relay's clients get the pool whose prefix holds the relay's address.
    public var pools: [String] = []
    public var serverIdentity = IPv4Address.zero
    /// nil: as `aaa.user-name` says.
    public var userName: UserNameTemplate?
    /// nil: no PPPoE.
    public var pppoe: PPPoESettings?
    /// nil: no IPv6.
    public var ipv6: IPv6Settings?
}

/// An entry of `nodes:`
public struct NodeSettings: Sendable, Equatable {
    public var name: NodeName = ""
    public var identity = NodeIdentitySettings.certificate
    public var ports: [PortSettings] = []
    public var routes: [RouteSettings] = []
}

/// An entry of a node's `ports:`
public struct PortSettings: Sendable, Equatable {
    public var name = ""
    public var role = PortRole.access
    /// Name of the access domain; empty for a core port.
    public var accessDomain = ""
    public var vrf: VRF = 0
    public var relayTrust = RelayTrust.none
    public var trustedRelays: [TrustedRelay] = []
    public var mtu: UInt32 = 0

    /// The relays by every IPv6 address they are known by.
    public var relaysByIPv6: [IPv6Address: IPv4Address] {
        var relays: [IPv6Address: IPv4Address] = [:]
        for relay in self.trustedRelays { for address in relay.ipv6 { relays[address] = relay.ipv4 } }
        return relays
    }
}

/// An entry of a port's `trusted-relays:`
public struct TrustedRelay: Sendable, Equatable {
    /// Who it is, in both families: its giaddr.
    public var ipv4: IPv4Address
    /// The link-addresses of its Relay-forward messages, and what it sends those from if it puts none in.
    public var ipv6: [IPv6Address] = []
}

/// An entry of a node's `routes:`
public struct RouteSettings: Sendable, Equatable {
    public enum Via: Sendable, Equatable {
        case kernel
        case blackhole
        case gateway(IPAddress, port: String)
    }

    public var vrf: VRF = 0
    public var prefix: IPPrefix
    public var via: Via
    /// `nat: none`: who is behind NAT sends there with its own address.
    public var isUntranslated = false
}

/// An entry of `pools:`
public struct Pool: Sendable, Equatable {
    public var name: String
    public var vrf: VRF
    public var prefix: IPv4Prefix
    public var gateway: IPv4Address
    public var ranges: [IPv4Range]
    public var statics: [MACAddress: IPv4Address]
    public var lease: Seconds
    public var renewal: Seconds
    public var rebinding: Seconds
    public var quarantine: Seconds
    /// Ascending codes, `dns` and `domain` included.
    public var options: [RawDHCPOption]
    public var allocation = AddressPool.Allocation.sticky
    /// Share of the addresses held from which it is an alarm; 0: never.
    public var alarmPercent = 90
    /// NAT pool of its private addresses; nil: they are forwarded as they are.
    public var nat: String?
    /// The entry of `dhcp-servers:` that gives the addresses; nil: the pool itself.
    public var external: String?
}
