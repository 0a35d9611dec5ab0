// SPDX-License-Identifier: Apache-2.0
// How one access domain serves PPPoE, as the shards need it.

import BNGCore
import Fleet
import PPP
import PPPoE
import Subscribers

/// Of an access domain; one value shared by all its sessions.
public final class PPPoEPolicy: Sendable {
    let acName: String
    let rules: PPPoEServiceRules
    /// Largest PPP payload, with clients that ask for more than the usual.
    let mru: UInt16
    let echoInterval: Seconds
    let echoFailures: UInt8
    let clampMSS: Bool
    let perMAC: Int
    /// Of a pair of tags, and of a node; 0: no limit.
    let perLine: Int
    let perNode: Int
    /// With the usual MRU, and with the large one.
    let usual: PPPServerMachine.Configuration
    let large: PPPServerMachine.Configuration

    public init(
        acName: String, services: [String], anyService: Bool, authentication: [PPPAuthentication], mru: UInt16,
        ipv6cp: Bool, echoInterval: Seconds, echoFailures: UInt8, clampMSS: Bool, perMAC: Int, perLine: Int,
        perNode: Int
    ) {
        self.acName = acName
        self.rules = PPPoEServiceRules(names: services, anyService: anyService)
        self.mru = mru
        self.echoInterval = echoInterval
        self.echoFailures = echoFailures
        self.clampMSS = clampMSS
        self.perMAC = perMAC
        self.perLine = perLine
        self.perNode = perNode
        let configuration = { (mru: UInt16) in
            PPPServerMachine.Configuration(
                authentication: authentication, mru: mru, ipv6cp: ipv6cp, hostName: acName)
        }
        self.usual = configuration(min(mru, PPPoEReplies.usualPayload))
        self.large = configuration(mru)
    }

    func machineConfiguration(_ maxPayload: UInt16?) -> PPPServerMachine.Configuration {
        guard let maxPayload else { return self.usual }
        var configuration = self.large
        configuration.mru = maxPayload
        return configuration
    }

    func attachment(_ details: PPPoEDetails) -> PPPoEAttachment {
        PPPoEAttachment(
            mtu: details.mtu, localMagic: details.link.localMagic, echoInterval: self.echoInterval,
            echoFailures: self.echoFailures, clampMSS: self.clampMSS)
    }
}
