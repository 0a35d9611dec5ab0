// SPDX-License-Identifier: Apache-2.0
// Attributes of the RFCs that a BNG reads or writes, and those an operator may name in a rule.

extension RADIUSAttributeKey {
    // RFC 2865.
    public static let userName = RADIUSAttributeKey(1)
    public static let userPassword = RADIUSAttributeKey(2)
    public static let chapPassword = RADIUSAttributeKey(3)
    public static let nasIPAddress = RADIUSAttributeKey(4)
    public static let nasPort = RADIUSAttributeKey(5)
    public static let serviceType = RADIUSAttributeKey(6)
    public static let framedProtocol = RADIUSAttributeKey(7)
    public static let framedIPAddress = RADIUSAttributeKey(8)
    public static let framedIPNetmask = RADIUSAttributeKey(9)
    public static let filterID = RADIUSAttributeKey(11)
    public static let replyMessage = RADIUSAttributeKey(18)
    public static let framedRoute = RADIUSAttributeKey(22)
    public static let state = RADIUSAttributeKey(24)
    public static let classAttribute = RADIUSAttributeKey(25)
    public static let chargeableUserIdentity = RADIUSAttributeKey(89)
    public static let vendorSpecific = RADIUSAttributeKey(26)
    public static let sessionTimeout = RADIUSAttributeKey(27)
    public static let idleTimeout = RADIUSAttributeKey(28)
    public static let terminationAction = RADIUSAttributeKey(29)
    public static let calledStationID = RADIUSAttributeKey(30)
    public static let callingStationID = RADIUSAttributeKey(31)
    public static let nasIdentifier = RADIUSAttributeKey(32)
    public static let proxyState = RADIUSAttributeKey(33)
    public static let chapChallenge = RADIUSAttributeKey(60)
    public static let nasPortType = RADIUSAttributeKey(61)
    public static let portLimit = RADIUSAttributeKey(62)
    // RFC 2866.
    public static let acctStatusType = RADIUSAttributeKey(40)
    public static let acctDelayTime = RADIUSAttributeKey(41)
    public static let acctInputOctets = RADIUSAttributeKey(42)
    public static let acctOutputOctets = RADIUSAttributeKey(43)
    public static let acctSessionID = RADIUSAttributeKey(44)
    public static let acctAuthentic = RADIUSAttributeKey(45)
    public static let acctSessionTime = RADIUSAttributeKey(46)
    public static let acctInputPackets = RADIUSAttributeKey(47)
    public static let acctOutputPackets = RADIUSAttributeKey(48)
    public static let acctTerminateCause = RADIUSAttributeKey(49)
    // RFC 2869.
    public static let acctInputGigawords = RADIUSAttributeKey(52)
    public static let acctOutputGigawords = RADIUSAttributeKey(53)
    public static let eventTimestamp = RADIUSAttributeKey(55)
    public static let messageAuthenticator = RADIUSAttributeKey(80)
    public static let acctInterimInterval = RADIUSAttributeKey(85)
    public static let nasPortID = RADIUSAttributeKey(87)
    public static let framedPool = RADIUSAttributeKey(88)
    // RFC 3162, 4818, 6911.
    public static let framedInterfaceID = RADIUSAttributeKey(96)
    public static let framedIPv6Prefix = RADIUSAttributeKey(97)
    public static let framedIPv6Route = RADIUSAttributeKey(99)
    public static let framedIPv6Pool = RADIUSAttributeKey(100)
    public static let delegatedIPv6Prefix = RADIUSAttributeKey(123)
    public static let framedIPv6Address = RADIUSAttributeKey(168)
    public static let dnsServerIPv6Address = RADIUSAttributeKey(169)
    public static let routeIPv6Information = RADIUSAttributeKey(170)
    public static let delegatedIPv6PrefixPool = RADIUSAttributeKey(171)
    public static let statefulIPv6AddressPool = RADIUSAttributeKey(172)
    // RFC 5176.
    public static let errorCause = RADIUSAttributeKey(101)
}

extension RADIUSDictionary {
    static let standard: [Entry] = [
        Entry("User-Name", 1, .text), Entry("User-Password", 2, .bytes), Entry("CHAP-Password", 3, .bytes),
        Entry("NAS-IP-Address", 4, .address), Entry("NAS-Port", 5, .number), Entry("Service-Type", 6, .number),
        Entry("Framed-Protocol", 7, .number), Entry("Framed-IP-Address", 8, .address),
        Entry("Framed-IP-Netmask", 9, .address), Entry("Framed-Routing", 10, .number), Entry("Filter-Id", 11, .text),
        Entry("Framed-MTU", 12, .number), Entry("Framed-Compression", 13, .number),
        Entry("Login-IP-Host", 14, .address),
        Entry("Login-Service", 15, .number), Entry("Reply-Message", 18, .text), Entry("Callback-Number", 19, .text),
        Entry("Callback-Id", 20, .text), Entry("Framed-Route", 22, .text), Entry("State", 24, .bytes),
        Entry("Class", 25, .bytes), Entry("Vendor-Specific", 26, .bytes), Entry("Session-Timeout", 27, .number),
        Entry("Idle-Timeout", 28, .number), Entry("Termination-Action", 29, .number),
        Entry("Called-Station-Id", 30, .text), Entry("Calling-Station-Id", 31, .text),
        Entry("NAS-Identifier", 32, .text), Entry("Proxy-State", 33, .bytes), Entry("Acct-Status-Type", 40, .number),
        Entry("Acct-Delay-Time", 41, .number), Entry("Acct-Input-Octets", 42, .number),
        Entry("Acct-Output-Octets", 43, .number), Entry("Acct-Session-Id", 44, .text),
        Entry("Acct-Authentic", 45, .number), Entry("Acct-Session-Time", 46, .number),
        Entry("Acct-Input-Packets", 47, .number), Entry("Acct-Output-Packets", 48, .number),
        Entry("Acct-Terminate-Cause", 49, .number), Entry("Acct-Multi-Session-Id", 50, .text),
        Entry("Acct-Link-Count", 51, .number), Entry("Acct-Input-Gigawords", 52, .number),
        Entry("Acct-Output-Gigawords", 53, .number), Entry("Event-Timestamp", 55, .number),
        Entry("CHAP-Challenge", 60, .bytes), Entry("NAS-Port-Type", 61, .number), Entry("Port-Limit", 62, .number),
        Entry("Tunnel-Type", 64, .bytes), Entry("Connect-Info", 77, .text), Entry("Configuration-Token", 78, .text),
        Entry("EAP-Message", 79, .bytes), Entry("Message-Authenticator", 80, .bytes),
        Entry("Tunnel-Private-Group-Id", 81, .text), Entry("Acct-Interim-Interval", 85, .number),
        Entry("NAS-Port-Id", 87, .text), Entry("Framed-Pool", 88, .text), Entry("Chargeable-User-Identity", 89, .text),
        Entry("NAS-IPv6-Address", 95, .bytes), Entry("Framed-Interface-Id", 96, .bytes),
        Entry("Framed-IPv6-Prefix", 97, .bytes), Entry("Framed-IPv6-Route", 99, .text),
        Entry("Framed-IPv6-Pool", 100, .text), Entry("Error-Cause", 101, .number),
        Entry("Delegated-IPv6-Prefix", 123, .bytes), Entry("Framed-IPv6-Address", 168, .bytes),
        Entry("DNS-Server-IPv6-Address", 169, .bytes), Entry("Route-IPv6-Information", 170, .bytes),
        Entry("Delegated-IPv6-Prefix-Pool", 171, .text), Entry("Stateful-IPv6-Address-Pool", 172, .text),
    ]
}
