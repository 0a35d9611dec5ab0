// SPDX-License-Identifier: Apache-2.0
// The questions asked of AAA and the answers it gives, in the words of no particular protocol.

import BNGCore

/// Somebody wants service on a line.
public struct AuthorizationRequest: Sendable, Equatable {
    /// How the customer proves who they are.
    public enum Credential: Sendable, Equatable {
        /// The line is the proof (IPoE).
        case line
        case password([UInt8])
        /// RFC 1994 4.1; identifier, challenge, 16-byte response.
        case chap(identifier: UInt8, challenge: [UInt8], response: [UInt8])
        /// 16 bytes of challenge; the 49 bytes of the response (RFC 2759 4).
        case msChapV2(identifier: UInt8, challenge: [UInt8], response: [UInt8])
        /// Proven when the session began, in a way that cannot be repeated: only whether the customer is still welcome is asked.
        case proven
    }

    public var session: SessionID
    public var userName: String
    public var credential: Credential
    public var facts: LineFacts
    /// State of the last answer; empty at first.
    public var state: [UInt8] = []
    /// Chargeable-User-Identity of the last answer; nil at first.
    public var chargeableUser: [UInt8]?
    /// The session exists already and is authenticated again.
    public var isAgain = false

    public init(session: SessionID, userName: String, credential: Credential, facts: LineFacts) {
        self.session = session
        self.userName = userName
        self.credential = credential
        self.facts = facts
    }
}

/// What is known of a line and of what its client said: for user names, NAS attributes and accounting.
public struct LineFacts: Sendable, Equatable, Codable {
    public var node: NodeName
    public var port: String
    public var accessDomain: AccessDomainID
    public var sVLAN: UInt16
    public var cVLAN: UInt16
    public var mac: MACAddress
    /// Sub-options 1 and 2 of option 82, from trusted places only.
    public var circuitID: [UInt8] = []
    public var remoteID: [UInt8] = []
    /// Option 61.
    public var clientID: [UInt8] = []
    /// Option 60.
    public var vendorClass: [UInt8] = []
    public var hostName = ""
    /// The DHCPv6 client's DUID; nil: it did not come by DHCPv6.
    public var duid: [UInt8]?
    /// nil: IPoE.
    public var pppoe: PPPoE?

    /// Of a PPPoE session.
    public struct PPPoE: Sendable, Equatable, Codable {
        /// SESSION_ID.
        public var id: UInt16
        /// Service-Name.
        public var service: String

        public init(id: UInt16, service: String) {
            self.id = id
            self.service = service
        }
    }

    public init(
        node: NodeName, port: String, accessDomain: AccessDomainID, sVLAN: UInt16, cVLAN: UInt16, mac: MACAddress
    ) {
        self.node = node
        self.port = port
        self.accessDomain = accessDomain
        self.sVLAN = sVLAN
        self.cVLAN = cVLAN
        self.mac = mac
    }

    /// NAS-Port-Id: `node/port` and the tags, as `edge1/access0:100.7`.
    public var portID: String {
        let tags = self.sVLAN == 0 ? "" : self.cVLAN == 0 ? ":\(self.sVLAN)" : ":\(self.sVLAN).\(self.cVLAN)"
        return "\(self.node)/\(self.port)\(tags)"
    }
}

/// What AAA decided.
public enum AuthorizationOutcome: Sendable, Equatable {
    case accept(ServiceGrant)
    /// `message` is for the customer (Reply-Message).
    case reject(message: String)
    /// Nobody who could decide answered in time.
    case unavailable
}

/// One accounting record (RFC 2866), complete in itself: it is stored before it is sent.
public struct AccountingRecord: Sendable, Equatable, Codable {
    public enum Kind: String, Sendable, Codable, CaseIterable { case start, interim, stop, on, off }

    /// Ascending in the order records of one session came to be; unique in the store.
    public var sequence: UInt64
    public var kind: Kind
    /// Acct-Session-Id; empty for on and off.
    public var accountingID: String
    /// The session's raw id; 0 for on and off.
    public var session: UInt64
    public var userName: String
    public var facts: LineFacts
    public var address: IPv4Address
    public var classes: [[UInt8]]
    /// When it happened (Event-Timestamp, RFC 2869 5.3).
    public var at: UTCTime
    public var sessionStarted: UTCTime
    public var totals: SessionTotals
    public var cause: TerminateCause?
    /// Name of the plan; shown in logs and sent as the configured attribute.
    public var plan: String
    /// Chargeable-User-Identity.
    public var chargeableUser: [UInt8]?
    /// nil: the session holds nothing of IPv6. `address` is zero when it holds nothing of IPv4.
    public var ipv6: IPv6Details?
    /// What IPv6CP agreed on; nil: not PPP, or not agreed.
    public var interfaceID: UInt64?

    public init(
        sequence: UInt64, kind: Kind, accountingID: String, session: UInt64, userName: String, facts: LineFacts,
        address: IPv4Address, classes: [[UInt8]], at: UTCTime, sessionStarted: UTCTime, totals: SessionTotals,
        cause: TerminateCause?, plan: String
    ) {
        self.sequence = sequence
        self.kind = kind
        self.accountingID = accountingID
        self.session = session
        self.userName = userName
        self.facts = facts
        self.address = address
        self.classes = classes
        self.at = at
        self.sessionStarted = sessionStarted
        self.totals = totals
        self.cause = cause
        self.plan = plan
    }

    /// Acct-Session-Time in whole seconds.
    public var sessionSeconds: UInt32 {
        UInt32(clamping: max(0, self.at.milliseconds - self.sessionStarted.milliseconds) / 1_000)
    }
}

/// A request of RFC 5176, authenticated and taken apart.
public struct DynamicAuthorization: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case disconnect
        case change(ServiceGrantChange)
    }

    /// Everything given must match (RFC 5176 3).
    public struct Target: Sendable, Equatable {
        public var accountingID: String?
        public var userName: String?
        public var address: IPv4Address?
        /// Calling-Station-Id, a MAC address.
        public var mac: MACAddress?
        public var portID: String?
        /// Framed-IPv6-Prefix and Delegated-IPv6-Prefix: the session holds each of them.
        public var prefixes: [IPv6Prefix] = []
        /// Framed-IPv6-Address.
        public var ipv6: IPv6Address?
        /// Framed-Interface-Id; names no session alone.
        public var interfaceID: UInt64?
        /// NAS-Identifier: name of a node, or of this controller.
        public var nasIdentifier: String?

        public init() {}

        public var namesSession: Bool {
            self.accountingID != nil || self.userName != nil || self.address != nil || self.mac != nil
                || self.portID != nil || !self.prefixes.isEmpty || self.ipv6 != nil
        }
    }

    public var kind: Kind
    public var target: Target

    public init(kind: Kind, target: Target) {
        self.kind = kind
        self.target = target
    }
}

/// The answer: the raw values of `refused` are Error-Cause values (RFC 5176 3.5).
public enum DynamicAuthorizationResult: Sendable, Equatable {
    /// The data plane has confirmed.
    case done
    case refused(ErrorCause, String)

    public enum ErrorCause: UInt32, Sendable, Equatable {
        case unsupportedAttribute = 401, missingAttribute = 402, nasIdentificationMismatch = 403, invalidRequest = 404
        case unsupportedService = 405, unsupportedExtension = 406, invalidAttributeValue = 407
        case administrativelyProhibited = 501, sessionContextNotFound = 503, sessionContextNotRemovable = 504
        case resourcesUnavailable = 506, multipleSessions = 508
    }
}
