// SPDX-License-Identifier: Apache-2.0
// What a node holds of PPPoE: the service its discovery offers, and a session's link.

import BNGCore

/// What the clients of one access domain are offered (RFC 2516, RFC 4638).
public struct PPPoEServicePolicy: Hashable, Sendable {
    /// Service names at most.
    public static let serviceLimit = 16
    /// Bytes of a name at most.
    public static let nameLimit = 64
    /// PPP-Max-Payload values that may be granted.
    public static let payloadLimits: ClosedRange<UInt32> = 1_493...9_000
    /// A held PADO waits so long at most.
    public static let delayLimit: UInt32 = 10_000

    public var accessDomain: AccessDomainID
    /// AC-Name.
    public var acName: String
    /// Offered besides the empty name, in this order.
    public var serviceNames: [String]
    /// A name that is not listed is served, too.
    public var anyService: Bool
    /// Largest PPP-Max-Payload granted; 0: the tag is not answered.
    public var maxPayload: UInt32
    /// Milliseconds a PADO waits; 0: none.
    public var padoDelay: UInt32
    /// SipHash key of AC-Cookies, 16 bytes.
    public var cookieKey: [UInt8]
    /// Still accepted; 16 bytes or empty.
    public var previousCookieKey: [UInt8]

    public init(
        accessDomain: AccessDomainID, acName: String, serviceNames: [String] = [], anyService: Bool = true,
        maxPayload: UInt32 = 0, padoDelay: UInt32 = 0, cookieKey: [UInt8], previousCookieKey: [UInt8] = []
    ) {
        self.accessDomain = accessDomain
        self.acName = acName
        self.serviceNames = serviceNames
        self.anyService = anyService
        self.maxPayload = maxPayload
        self.padoDelay = padoDelay
        self.cookieKey = cookieKey
        self.previousCookieKey = previousCookieKey
    }
}

/// The link of a PPPoE session as its node serves it.
public struct PPPoEAttachment: Hashable, Sendable {
    /// Largest IP packet the client takes, in bytes.
    public var mtu: UInt16
    /// Our LCP magic number; 0: none was agreed on.
    public var localMagic: UInt32
    /// The node sends LCP Echo-Requests so often to a silent line; zero: none.
    public var echoInterval: Seconds
    /// Unanswered ones until the session lapses; 0 without an interval.
    public var echoFailures: UInt8
    /// TCP MSS options are lowered to `mtu` - 40.
    public var clampMSS: Bool

    public init(
        mtu: UInt16, localMagic: UInt32, echoInterval: Seconds = 0, echoFailures: UInt8 = 0, clampMSS: Bool = true
    ) {
        self.mtu = mtu
        self.localMagic = localMagic
        self.echoInterval = echoInterval
        self.echoFailures = echoFailures
        self.clampMSS = clampMSS
    }
}
