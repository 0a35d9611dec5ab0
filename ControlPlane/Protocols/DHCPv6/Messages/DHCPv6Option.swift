// SPDX-License-Identifier: Apache-2.0
// Options of DHCPv6 as values: RFC 8415 21, RFC 3646, RFC 4649, RFC 4580.

import BNGCore

/// Option codes the server acts on.
public enum DHCPv6OptionCode {
    public static let clientID: UInt16 = 1
    public static let serverID: UInt16 = 2
    public static let nonTemporary: UInt16 = 3
    public static let temporary: UInt16 = 4
    public static let address: UInt16 = 5
    public static let optionRequest: UInt16 = 6
    public static let preference: UInt16 = 7
    public static let elapsedTime: UInt16 = 8
    public static let relayMessage: UInt16 = 9
    public static let status: UInt16 = 13
    public static let rapidCommit: UInt16 = 14
    public static let interfaceID: UInt16 = 18
    public static let reconfigureAccept: UInt16 = 20
    public static let nameServers: UInt16 = 23
    public static let searchList: UInt16 = 24
    public static let delegation: UInt16 = 25
    public static let prefix: UInt16 = 26
    public static let remoteID: UInt16 = 37
    public static let subscriberID: UInt16 = 38
    public static let clientLinkLayerAddress: UInt16 = 79
}

/// RFC 8415 21.13.
public enum DHCPv6StatusCode {
    public static let success: UInt16 = 0
    public static let unspecified: UInt16 = 1
    public static let noAddresses: UInt16 = 2
    public static let noBinding: UInt16 = 3
    public static let notOnLink: UInt16 = 4
    public static let useMulticast: UInt16 = 5
    public static let noPrefixes: UInt16 = 6
}

/// One option. Those that nest stand only where RFC 8415 puts them; elsewhere, as whatever is unknown, they are `other`.
public enum DHCPv6Option: Equatable, Sendable {
    case clientID(DUID)
    case serverID(DUID)
    case association(IdentityAssociation)
    case lease(DHCPv6Lease)
    case optionRequest([UInt16])
    case preference(UInt8)
    /// Hundredths of a second.
    case elapsedTime(UInt16)
    case status(UInt16, text: [UInt8])
    case rapidCommit
    case interfaceID([UInt8])
    case reconfigureAccept
    case nameServers([IPv6Address])
    case searchList([DomainName])
    case remoteID(enterprise: UInt32, [UInt8])
    case subscriberID([UInt8])
    case other(UInt16, [UInt8])

    public var code: UInt16 {
        switch self {
        case .clientID: return DHCPv6OptionCode.clientID
        case .serverID: return DHCPv6OptionCode.serverID
        case .association(let association): return association.kind.rawValue
        case .lease(let lease): return lease.code
        case .optionRequest: return DHCPv6OptionCode.optionRequest
        case .preference: return DHCPv6OptionCode.preference
        case .elapsedTime: return DHCPv6OptionCode.elapsedTime
        case .status: return DHCPv6OptionCode.status
        case .rapidCommit: return DHCPv6OptionCode.rapidCommit
        case .interfaceID: return DHCPv6OptionCode.interfaceID
        case .reconfigureAccept: return DHCPv6OptionCode.reconfigureAccept
        case .nameServers: return DHCPv6OptionCode.nameServers
        case .searchList: return DHCPv6OptionCode.searchList
        case .remoteID: return DHCPv6OptionCode.remoteID
        case .subscriberID: return DHCPv6OptionCode.subscriberID
        case .other(let code, _): return code
        }
    }
}

/// IA_NA, IA_TA or IA_PD: a bundle of leases the client knows by a number (RFC 8415 12).
public struct IdentityAssociation: Equatable, Sendable {
    public enum Kind: UInt16, Sendable {
        case nonTemporary = 3
        case temporary = 4
        case delegation = 25
    }

    public var kind: Kind
    public var id: UInt32
    /// T1 and T2 in seconds; 0 leaves the times to the client. Temporary ones have none.
    public var renewal: UInt32
    public var rebinding: UInt32
    public var options: [DHCPv6Option]

    public init(
        _ kind: Kind, id: UInt32, renewal: UInt32 = 0, rebinding: UInt32 = 0, options: [DHCPv6Option] = []
    ) {
        self.kind = kind
        self.id = id
        self.renewal = kind == .temporary ? 0 : renewal
        self.rebinding = kind == .temporary ? 0 : rebinding
        self.options = options
    }

    public var leases: [DHCPv6Lease] {
        self.options.compactMap { if case .lease(let lease) = $0 { lease } else { nil } }
    }

    /// The first status; nil is success.
    public var status: UInt16? {
        self.options.lazy.compactMap { if case .status(let code, _) = $0 { code } else { nil } }.first
    }
}

/// An address or a prefix with its times, all ones being for ever.
public struct DHCPv6Lease: Equatable, Sendable {
    public enum Resource: Hashable, Sendable {
        case address(IPv6Address)
        case prefix(IPv6Prefix)
    }

    public var resource: Resource
    public var preferred: UInt32
    public var valid: UInt32
    /// Only a status has a place here.
    public var options: [DHCPv6Option]

    public init(_ resource: Resource, preferred: UInt32, valid: UInt32, options: [DHCPv6Option] = []) {
        self.resource = resource
        self.preferred = preferred
        self.valid = valid
        self.options = options
    }

    var code: UInt16 {
        switch self.resource {
        case .address: return DHCPv6OptionCode.address
        case .prefix: return DHCPv6OptionCode.prefix
        }
    }
}
