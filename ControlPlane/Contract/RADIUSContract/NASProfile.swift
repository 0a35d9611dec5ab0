// SPDX-License-Identifier: Apache-2.0
// How this NAS presents itself and its customers: the attributes of requests, except what a secret is needed for.

import BNGCore
import RADIUS
import Subscribers

/// What an operator configures of the attributes we send.
public struct NASProfile: Sendable, Equatable {
    /// NAS-IP-Address; nil: not sent.
    public var address: IPv4Address?
    /// NAS-Identifier; nil: the name of the customer's node.
    public var identifier: String?
    /// NAS-Port-Type of IPoE; 15 is Ethernet, 5 Virtual. PPPoE has types of its own.
    public var portType: UInt32 = 15
    /// Called-Station-Id; nil: not sent.
    public var calledStation: String?
    public var stationFormat = StationFormat.upperDashes
    /// A text attribute that carries the plan's name in accounting; nil: none.
    public var planAttribute: RADIUSAttributeKey?
    public var ipv6Accounting = IPv6Accounting.erx
    /// Acct-Authentic: RADIUS or, without servers for authentication, Local.
    public var authenticatesHere = false

    /// How the IPv6 part of what was counted is sent. No RFC has attributes for it.
    public enum IPv6Accounting: String, Sendable, CaseIterable {
        /// Juniper's, which most servers know.
        case erx
        case none
    }

    public init() {}

    /// Attributes that name the line; the same in authentication and accounting.
    func appendLine(_ facts: LineFacts, to attributes: inout RADIUSAttributes) {
        self.appendNAS(facts.node, to: &attributes)
        attributes.append(.serviceType, UInt32(2))
        attributes.append(.nasPortType, facts.pppoePortType ?? self.portType)
        // RFC 2865 5.7: PPP.
        if facts.pppoe != nil { attributes.append(.framedProtocol, UInt32(1)) }
        attributes.append(.nasPort, UInt32(facts.sVLAN & 0xfff) << 12 | UInt32(facts.cVLAN & 0xfff))
        attributes.append(.nasPortID, text: facts.portID)
        attributes.append(.callingStationID, text: self.stationFormat.text(facts.mac))
        if let station = self.calledStation { attributes.append(.calledStationID, text: station) }
        for (key, value) in [(RADIUSAttributeKey.agentCircuitID, facts.circuitID), (.agentRemoteID, facts.remoteID)]
        where !value.isEmpty {
            attributes.append(key, value.prefix(RADIUSAttributes.vendorValueLimit))
        }
    }

    func appendNAS(_ node: NodeName, to attributes: inout RADIUSAttributes) {
        attributes.append(.nasIdentifier, text: self.identifier ?? node)
        if let address = self.address { attributes.append(.nasIPAddress, address) }
    }
}

extension NASProfile {
    /// The packet that asks for a customer. `secret` hides the password.
    /// - Parameter linePassword: User-Password of a customer whose line is the proof.
    /// - Returns: nil if no packet can carry the name or the proof.
    public func accessRequest(
        _ request: AuthorizationRequest, linePassword: [UInt8], identifier: UInt8,
        authenticator: RADIUSAuthenticator, secret: RADIUSSecret
    ) -> RADIUSPacket? {
        guard (1...RADIUSAttributes.valueLimit).contains(request.userName.utf8.count) else { return nil }
        var attributes = RADIUSAttributes()
        attributes.append(.userName, Array(request.userName.utf8))
        switch request.credential {
        case .line:
            attributes.append(.userPassword, secret.hide(password: linePassword, authenticator: authenticator))
        case .password(let password):
            // RFC 2865 5.2; what is cut might be another's password.
            guard password.count <= PasswordRecord.passwordLimit else { return nil }
            attributes.append(.userPassword, secret.hide(password: password, authenticator: authenticator))
        case .chap(let id, let challenge, let response):
            attributes.append(.chapPassword, [id] + response)
            attributes.append(.chapChallenge, challenge)
        case .msChapV2(let id, let challenge, let response):
            // RFC 2548 2.3.2 has the flags of RFC 2759's response at the front.
            guard response.count == 49 else { return nil }
            attributes.append(.msChapChallenge, challenge)
            attributes.append(.msChap2Response, [id] + response.suffix(1) + response.prefix(48))
        // Without a proof there is nothing a server could decide by.
        case .proven: return nil
        }
        self.appendLine(request.facts, to: &attributes)
        attributes.append(.acctSessionID, text: request.session.description)
        // RFC 4372 2.2: a single null asks for one.
        attributes.append(.chargeableUserIdentity, request.chargeableUser ?? [0])
        if !request.state.isEmpty { attributes.append(.state, request.state) }
        return RADIUSPacket(
            code: .accessRequest, identifier: identifier, authenticator: authenticator, attributes: attributes)
    }

    /// The packet of an accounting record, sent at `now`.
    public func accountingRequest(_ record: AccountingRecord, identifier: UInt8, now: UTCTime) -> RADIUSPacket {
        var attributes = RADIUSAttributes()
        attributes.append(.acctStatusType, record.kind.statusType)
        // RFC 2866 5.5: every record has one, those of the NAS as a whole too.
        attributes.append(.acctSessionID, text: record.accountingID.isEmpty ? "0" : record.accountingID)
        attributes.append(.eventTimestamp, UInt32(clamping: record.at.milliseconds / 1_000))
        attributes.append(
            .acctDelayTime, UInt32(clamping: max(0, now.milliseconds - record.at.milliseconds) / 1_000))
        attributes.append(.acctAuthentic, UInt32(self.authenticatesHere ? 2 : 1))
        if record.kind == .on || record.kind == .off {
            self.appendNAS(record.facts.node, to: &attributes)
        } else {
            self.appendSession(record, to: &attributes)
        }
        return RADIUSPacket(code: .accountingRequest, identifier: identifier, attributes: attributes)
    }

    private func appendSession(_ record: AccountingRecord, to attributes: inout RADIUSAttributes) {
        attributes.append(.userName, text: record.userName)
        self.appendLine(record.facts, to: &attributes)
        if record.address != .zero { attributes.append(.framedIPAddress, record.address) }
        self.appendIPv6(record, to: &attributes)
        if record.kind != .start { self.appendTotals(record, to: &attributes) }
        if record.kind == .stop, let cause = record.cause {
            attributes.append(.acctTerminateCause, cause.radiusValue)
        }
        if let key = self.planAttribute { attributes.append(key, text: record.plan) }
        for value in record.classes { attributes.append(.classAttribute, value) }
        if let identity = record.chargeableUser { attributes.append(.chargeableUserIdentity, identity) }
    }

    /// What the session holds of IPv6 (RFC 3162 2.2, 2.3; RFC 4818 3; RFC 6911 3.1).
    private func appendIPv6(_ record: AccountingRecord, to attributes: inout RADIUSAttributes) {
        if let identifier = record.interfaceID {
            attributes.append(.framedInterfaceID, Array(IPv6Address.linkLocal(identifier).bytes.suffix(8)))
        }
        guard let ipv6 = record.ipv6 else { return }
        if let link = ipv6.link { attributes.append(.framedIPv6Prefix, link.prefix) }
        for address in ipv6.addresses { attributes.append(.framedIPv6Address, address.bytes) }
        for prefix in ipv6.delegated { attributes.append(.delegatedIPv6Prefix, prefix) }
    }

    /// RFC 2866 5.3: input is what came from the customer. Both families together.
    private func appendTotals(_ record: AccountingRecord, to attributes: inout RADIUSAttributes) {
        let totals = record.totals
        attributes.append(.acctSessionTime, record.sessionSeconds)
        attributes.append(.acctInputOctets, UInt32(truncatingIfNeeded: totals.upBytes))
        attributes.append(.acctInputGigawords, UInt32(truncatingIfNeeded: totals.upBytes >> 32))
        attributes.append(.acctInputPackets, UInt32(truncatingIfNeeded: totals.upPackets))
        attributes.append(.acctOutputOctets, UInt32(truncatingIfNeeded: totals.downBytes))
        attributes.append(.acctOutputGigawords, UInt32(truncatingIfNeeded: totals.downBytes >> 32))
        attributes.append(.acctOutputPackets, UInt32(truncatingIfNeeded: totals.downPackets))
        // A session may have given up what it held of IPv6; what was counted stays.
        guard self.ipv6Accounting == .erx, record.ipv6 != nil || totals.ipv6 != FamilyTotals() else { return }
        let ipv6 = totals.ipv6
        attributes.append(.erxIPv6InputOctets, UInt32(truncatingIfNeeded: ipv6.upBytes))
        attributes.append(.erxIPv6OutputOctets, UInt32(truncatingIfNeeded: ipv6.downBytes))
        attributes.append(.erxIPv6InputPackets, UInt32(truncatingIfNeeded: ipv6.upPackets))
        attributes.append(.erxIPv6OutputPackets, UInt32(truncatingIfNeeded: ipv6.downPackets))
        attributes.append(.erxIPv6InputGigawords, UInt32(truncatingIfNeeded: ipv6.upBytes >> 32))
        attributes.append(.erxIPv6OutputGigawords, UInt32(truncatingIfNeeded: ipv6.downBytes >> 32))
    }
}

extension LineFacts {
    /// RFC 4603: PPPoE over Ethernet, over a VLAN, over QinQ; nil: IPoE.
    fileprivate var pppoePortType: UInt32? {
        guard self.pppoe != nil else { return nil }
        return self.sVLAN == 0 ? 32 : self.cVLAN == 0 ? 33 : 34
    }
}

extension AccountingRecord.Kind {
    /// Acct-Status-Type (RFC 2866 5.1).
    var statusType: UInt32 {
        switch self {
        case .start: 1
        case .stop: 2
        case .interim: 3
        case .on: 7
        case .off: 8
        }
    }
}

extension TerminateCause {
    /// Acct-Terminate-Cause (RFC 2866 5.10, RFC 3580 3.14). A lease that ran out and a line that moved are a Lost Carrier: the
    /// customer went without a word.
    var radiusValue: UInt32 {
        switch self {
        case .userRequest: 1
        case .leaseExpired, .ipv6LeaseExpired, .lineMoved, .lostCarrier: 2
        case .idleTimeout: 4
        case .sessionTimeout: 5
        case .adminReset: 6
        case .configuration: 10
        case .replaced: 13
        case .portError: 8
        case .addressDeclined, .leaseLost: 15
        case .reauthenticationFailed: 20
        }
    }
}
