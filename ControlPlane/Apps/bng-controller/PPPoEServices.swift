// SPDX-License-Identifier: Apache-2.0
// What nodes are told of PPPoE beside the configuration: the keys of AC-Cookies, new every hour, and how loaded they are.

import BNGConfiguration
import BNGCore
import Crypto
import PPP
import Store
import SubscriberDriver
import Synchronization

/// Keys and load of the PPPoE services of all nodes.
final class PPPoEServices: Sendable {
    /// Seconds a key is the current one; it is accepted as long again.
    static let rotation: Int64 = 3_600

    private let secret: SymmetricKey
    private let now: @Sendable () -> UTCTime
    private let loads = Mutex<[NodeName: Int]>([:])

    /// The keys follow from a stored secret: neither a restart nor another node of a group makes a cookie stale.
    init(store: Store, now: @escaping @Sendable () -> UTCTime) throws {
        let fresh = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        self.secret = SymmetricKey(data: try store.secret("pppoe-cookies", orKeep: fresh))
        self.now = now
    }

    var epoch: Int64 { self.now().milliseconds / 1_000 / Self.rotation }

    func serving(_ node: NodeName) -> PPPoEServing {
        let epoch = self.epoch
        return PPPoEServing(
            cookieKey: self.key(epoch), previousCookieKey: self.key(epoch - 1),
            sessions: self.loads.withLock { $0[node] ?? 0 })
    }

    private func key(_ epoch: Int64) -> [UInt8] {
        let code = HMAC<SHA256>.authenticationCode(for: Array("pppoe-cookie \(epoch)".utf8), using: self.secret)
        return Array(code.prefix(16))
    }

    /// Takes over how many sessions nodes have.
    func learn(_ loads: [NodeName: Int]) { self.loads.withLock { $0 = loads } }
}

extension ControllerConfiguration {
    /// The access domains with PPPoE in the words of the subscriber plane.
    var pppoePolicies: [AccessDomainID: PPPoEPolicy] {
        var policies: [AccessDomainID: PPPoEPolicy] = [:]
        for domain in self.accessDomains {
            guard let settings = domain.pppoe else { continue }
            policies[domain.id] = PPPoEPolicy(
                acName: settings.acName, services: settings.services, anyService: settings.anyService,
                authentication: settings.authentication.map(PPPAuthentication.init), mru: settings.mru,
                ipv6cp: settings.ipv6cp, echoInterval: settings.echoInterval, echoFailures: settings.echoFailures,
                clampMSS: settings.clampMSS, perMAC: Int(settings.sessionsPerMAC),
                perLine: Int(settings.sessionsPerLine),
                perNode: Int(settings.sessionsPerNode))
        }
        return policies
    }

    /// What nodes are told of PPPoE changes with the load of these: sessions from which PADOs of a domain wait.
    var pppoeThresholds: [Int] {
        self.accessDomains.compactMap { $0.pppoe.map { Int($0.loadedSessions) } }.filter { $0 > 0 }
    }
}

extension PPPAuthentication {
    init(_ setting: PPPoESettings.Authentication) {
        switch setting {
        case .pap: self = .pap
        case .chap: self = .chapMD5
        case .msChapV2: self = .msChapV2
        }
    }
}
