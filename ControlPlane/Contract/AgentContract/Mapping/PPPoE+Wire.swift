// SPDX-License-Identifier: Apache-2.0
// PPPoE services and session links to the wire and back (docs/contract.md section 7).

import AgentProto
import BNGCore
import Fleet
import Foundation

extension Wire.PPPoEService {
    init(_ service: PPPoEServicePolicy) {
        self.init()
        self.accessDomainID = service.accessDomain
        self.acName = service.acName
        self.serviceNames = service.serviceNames
        self.anyService = service.anyService
        self.maxPayloadBytes = service.maxPayload
        self.padoDelayMs = service.padoDelay
        self.cookieKey = Data(service.cookieKey)
        self.previousCookieKey = Data(service.previousCookieKey)
    }
}

extension Wire.SessionPPPoE {
    init(_ link: PPPoEAttachment, id: UInt16) {
        self.init()
        self.pppoeID = UInt32(id)
        self.mtuBytes = UInt32(link.mtu)
        self.localMagic = link.localMagic
        self.echoIntervalSeconds = link.echoInterval.value
        self.echoFailures = UInt32(link.echoFailures)
        self.clampMss = link.clampMSS
    }
}

extension PPPoEServicePolicy {
    init(_ service: Wire.PPPoEService) throws(ContractError) {
        guard service.accessDomainID != 0 else { throw invalid("no access domain", "19.1") }
        let names = 1...Self.nameLimit
        guard names.contains(service.acName.utf8.count) else { throw invalid("ac_name is 1-64 bytes", "19.2") }
        guard service.serviceNames.count <= Self.serviceLimit,
            Set(service.serviceNames).count == service.serviceNames.count,
            service.serviceNames.allSatisfy({ names.contains($0.utf8.count) })
        else { throw invalid("service_names: at most 16, distinct, 1-64 bytes each", "19.3") }
        guard service.maxPayloadBytes == 0 || Self.payloadLimits.contains(service.maxPayloadBytes) else {
            throw invalid("max_payload_bytes is 0 or 1493-9000", "19.5")
        }
        guard service.padoDelayMs <= Self.delayLimit else { throw invalid("pado_delay_ms is at most 10000", "19.6") }
        guard service.cookieKey.count == 16 else { throw invalid("a key has 16 bytes", "19.7") }
        guard service.previousCookieKey.isEmpty || service.previousCookieKey.count == 16 else {
            throw invalid("a key has 16 bytes", "19.8")
        }
        self.init(
            accessDomain: service.accessDomainID, acName: service.acName, serviceNames: service.serviceNames,
            anyService: service.anyService, maxPayload: service.maxPayloadBytes, padoDelay: service.padoDelayMs,
            cookieKey: [UInt8](service.cookieKey), previousCookieKey: [UInt8](service.previousCookieKey))
    }
}

extension PPPoEAttachment {
    /// - Parameter session: what it is part of; some of that excludes it.
    init(_ link: Wire.SessionPPPoE, with session: Wire.Session) throws(ContractError) {
        guard (1...65_534).contains(link.pppoeID) else { throw invalid("pppoe_id is 1-65534", "17.10.1") }
        guard (64...65_535).contains(link.mtuBytes) else { throw invalid("mtu_bytes is 64-65535", "17.10.2") }
        guard link.echoIntervalSeconds <= 3_600 else { throw invalid("at most 3600 seconds", "17.10.4") }
        guard link.echoIntervalSeconds == 0 ? link.echoFailures == 0 : (1...255).contains(link.echoFailures) else {
            throw invalid("echo_failures is 1-255 with an interval, 0 without", "17.10.5")
        }
        guard session.line.relayAddress.isEmpty else { throw invalid("no relay with PPPoE", "17.1.7") }
        guard !session.ipv4.dhcpFastPath else { throw invalid("no DHCP with PPPoE", "17.4.3") }
        self.init(
            mtu: UInt16(link.mtuBytes), localMagic: link.localMagic, echoInterval: Seconds(link.echoIntervalSeconds),
            echoFailures: UInt8(link.echoFailures), clampMSS: link.clampMss)
    }
}
