// SPDX-License-Identifier: Apache-2.0
// What an access concentrator says after the PADO, which the data plane sends: PADS, a refusal, PADT.
//
// Supported standards: RFC 2516 (4, 5.3-5.5, appendix A), RFC 4638 (2-4), TR-101 (3.9.2).

import BNGCore

/// Why a PADR is refused: the tag that says so.
public enum PPPoEError: UInt16, Sendable, CaseIterable {
    /// The service is not offered.
    case serviceName = 0x0201
    /// The concentrator cannot serve now, for want of resources.
    case acSystem = 0x0202
    /// Anything else that cannot be recovered from.
    case generic = 0x0203
}

/// Answers of the access concentrator.
public enum PPPoEReplies {
    /// Longest payload without RFC 4638.
    public static let usualPayload: UInt16 = 1_492

    /// The PADS that accepts a PADR.
    /// - Parameter maxPayload: longest PPP payload this side can carry; nil: RFC 4638 is off.
    public static func pads(
        for padr: PPPoEDiscovery, sessionID: UInt16, acName: String, maxPayload: UInt16?
    ) -> PPPoEDiscovery {
        var reply = PPPoEDiscovery(code: .pads, sessionID: sessionID)
        // RFC 2516 5.4: exactly one, the service that was accepted.
        reply.tags.append(PPPoETag(PPPoETag.serviceName, padr.serviceName ?? []))
        if !acName.isEmpty { reply.tags.append(PPPoETag(PPPoETag.acName, Array(acName.utf8))) }
        reply.echo(padr)
        if let agreed = Self.agreedPayload(padr, maxPayload) {
            var value: [UInt8] = []
            value.appendBigEndian(agreed)
            reply.tags.append(PPPoETag(PPPoETag.maxPayload, value))
        }
        return reply
    }

    /// The longest payload both sides can carry, if it is above 1492 (RFC 4638 3, 4); nil: 1492 it is.
    public static func agreedPayload(_ padr: PPPoEDiscovery, _ maxPayload: UInt16?) -> UInt16? {
        guard let ours = maxPayload, let theirs = padr.maxPayload else { return nil }
        let agreed = min(ours, theirs)
        return agreed > Self.usualPayload ? agreed : nil
    }

    /// The PADS that refuses one: session id 0 and an error with words for people (RFC 2516 5.4).
    public static func refusal(of padr: PPPoEDiscovery, _ error: PPPoEError, text: String) -> PPPoEDiscovery {
        var reply = PPPoEDiscovery(code: .pads, sessionID: 0)
        reply.tags.append(PPPoETag(error.rawValue, Array(text.utf8)))
        reply.echo(padr)
        return reply
    }

    /// The PADT that ends a session (RFC 2516 5.5), with what the client and a relay know it by.
    /// - Parameter text: a Generic-Error for people; empty: none.
    public static func padt(
        sessionID: UInt16, hostUniq: [UInt8]? = nil, relaySessionID: [UInt8]? = nil, cookie: [UInt8]? = nil,
        text: String = ""
    ) -> PPPoEDiscovery {
        var packet = PPPoEDiscovery(code: .padt, sessionID: sessionID)
        for (type, value) in [
            (PPPoETag.hostUniq, hostUniq), (PPPoETag.relaySessionID, relaySessionID), (PPPoETag.acCookie, cookie),
        ] {
            if let value { packet.tags.append(PPPoETag(type, value)) }
        }
        if !text.isEmpty { packet.tags.append(PPPoETag(PPPoETag.genericError, Array(text.utf8))) }
        return packet
    }
}

extension PPPoEDiscovery {
    /// Tags that must come back as they were sent (RFC 2516 appendix A).
    fileprivate mutating func echo(_ request: PPPoEDiscovery) {
        for type in [PPPoETag.hostUniq, PPPoETag.relaySessionID] {
            if let value = request.value(type) { self.tags.append(PPPoETag(type, value)) }
        }
    }
}
