// SPDX-License-Identifier: Apache-2.0
// Attributes of vendors, under the names and numbers of FreeRADIUS's dictionaries.

extension RADIUSAttributeKey {
    static let cisco: UInt32 = 9
    static let microsoft: UInt32 = 311
    static let dslForum: UInt32 = 3_561
    static let erx: UInt32 = 4_874
    static let wispr: UInt32 = 14_122
    static let mikrotik: UInt32 = 14_988

    // RFC 4679.
    public static let agentCircuitID = RADIUSAttributeKey(1, vendor: dslForum)
    public static let agentRemoteID = RADIUSAttributeKey(2, vendor: dslForum)
    // RFC 2548.
    public static let msChapError = RADIUSAttributeKey(2, vendor: microsoft)
    public static let msChapChallenge = RADIUSAttributeKey(11, vendor: microsoft)
    public static let msChap2Response = RADIUSAttributeKey(25, vendor: microsoft)
    public static let msChap2Success = RADIUSAttributeKey(26, vendor: microsoft)
    public static let msPrimaryDNS = RADIUSAttributeKey(28, vendor: microsoft)
    public static let msSecondaryDNS = RADIUSAttributeKey(29, vendor: microsoft)
    public static let erxPrimaryDNS = RADIUSAttributeKey(4, vendor: erx)
    public static let erxSecondaryDNS = RADIUSAttributeKey(5, vendor: erx)
    public static let erxIPv6InputOctets = RADIUSAttributeKey(151, vendor: erx)
    public static let erxIPv6OutputOctets = RADIUSAttributeKey(152, vendor: erx)
    public static let erxIPv6InputPackets = RADIUSAttributeKey(153, vendor: erx)
    public static let erxIPv6OutputPackets = RADIUSAttributeKey(154, vendor: erx)
    public static let erxIPv6InputGigawords = RADIUSAttributeKey(155, vendor: erx)
    public static let erxIPv6OutputGigawords = RADIUSAttributeKey(156, vendor: erx)
}

extension RADIUSDictionary {
    static let vendors: [Entry] =
        Self.of(RADIUSAttributeKey.cisco, [("Cisco-AVPair", 1, .text), ("Cisco-NAS-Port", 2, .text)])
        + Self.of(
            RADIUSAttributeKey.cisco,
            [
                ("Cisco-Policy-Up", 37, .text), ("Cisco-Policy-Down", 38, .text), ("Cisco-Account-Info", 250, .text),
                ("Cisco-Service-Info", 251, .text), ("Cisco-Command-Code", 252, .text),
            ])
        + Self.of(
            RADIUSAttributeKey.microsoft,
            [
                ("MS-CHAP-Error", 2, .text), ("MS-CHAP-Challenge", 11, .bytes), ("MS-CHAP2-Response", 25, .bytes),
                ("MS-CHAP2-Success", 26, .bytes), ("MS-Primary-DNS-Server", 28, .address),
                ("MS-Secondary-DNS-Server", 29, .address),
            ])
        + Self.of(
            RADIUSAttributeKey.dslForum,
            [
                ("ADSL-Agent-Circuit-Id", 1, .text), ("ADSL-Agent-Remote-Id", 2, .text),
                ("Actual-Data-Rate-Upstream", 129, .number), ("Actual-Data-Rate-Downstream", 130, .number),
                ("Minimum-Data-Rate-Upstream", 131, .number), ("Minimum-Data-Rate-Downstream", 132, .number),
                ("Attainable-Data-Rate-Upstream", 133, .number), ("Attainable-Data-Rate-Downstream", 134, .number),
                ("Maximum-Data-Rate-Upstream", 135, .number), ("Maximum-Data-Rate-Downstream", 136, .number),
            ])
        + Self.of(
            RADIUSAttributeKey.erx,
            [
                ("ERX-Virtual-Router-Name", 1, .text), ("ERX-Address-Pool-Name", 2, .text),
                ("ERX-Primary-Dns", 4, .address), ("ERX-Secondary-Dns", 5, .address),
                ("ERX-Ingress-Policy-Name", 10, .text), ("ERX-Egress-Policy-Name", 11, .text),
                ("ERX-Ingress-Statistics", 12, .number), ("ERX-Egress-Statistics", 13, .number),
                ("ERX-Qos-Profile-Name", 26, .text), ("ERX-Pppoe-Description", 24, .text),
                ("ERX-Service-Activate", 65, .text), ("ERX-Service-Deactivate", 66, .text),
                ("ERX-Cos-Parameter-Type", 108, .text), ("ERX-IPv6-Acct-Input-Octets", 151, .number),
                ("ERX-IPv6-Acct-Output-Octets", 152, .number), ("ERX-IPv6-Acct-Input-Packets", 153, .number),
                ("ERX-IPv6-Acct-Output-Packets", 154, .number), ("ERX-IPv6-Acct-Input-Gigawords", 155, .number),
                ("ERX-IPv6-Acct-Output-Gigawords", 156, .number),
            ])
        + Self.of(
            RADIUSAttributeKey.wispr,
            [
                ("WISPr-Bandwidth-Min-Up", 5, .number), ("WISPr-Bandwidth-Min-Down", 6, .number),
                ("WISPr-Bandwidth-Max-Up", 7, .number), ("WISPr-Bandwidth-Max-Down", 8, .number),
            ])
        + Self.of(
            RADIUSAttributeKey.mikrotik,
            [
                ("Mikrotik-Recv-Limit", 1, .number), ("Mikrotik-Xmit-Limit", 2, .number),
                ("Mikrotik-Group", 3, .text), ("Mikrotik-Rate-Limit", 8, .text), ("Mikrotik-Realm", 9, .text),
                ("Mikrotik-Mark-Id", 11, .text), ("Mikrotik-Recv-Limit-Gigawords", 14, .number),
                ("Mikrotik-Xmit-Limit-Gigawords", 15, .number), ("Mikrotik-Address-List", 19, .text),
            ])

    private static func of(_ vendor: UInt32, _ rows: [(String, UInt8, Kind)]) -> [Entry] {
        rows.map { Entry($0.0, $0.1, $0.2, vendor: vendor) }
    }
}
