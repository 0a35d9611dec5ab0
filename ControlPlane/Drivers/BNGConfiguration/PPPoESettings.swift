// SPDX-License-Identifier: Apache-2.0
// `access-domains[].pppoe:` as values, read from the file, and what they mean for a node.

import BNGCore
import Fleet
import PPPoE
import Yams

/// What clients of one access domain are offered by PPPoE.
public struct PPPoESettings: Sendable, Equatable {
    public enum Authentication: String, Sendable, CaseIterable { case pap, chap, msChapV2 = "ms-chap-v2" }

    /// AC-Name.
    public var acName = ""
    public var services: [String] = []
    public var anyService = true
    /// In order of preference; empty: nobody is asked for credentials.
    public var authentication: [Authentication] = [.chap, .msChapV2, .pap]
    /// Bytes of an IP packet inside PPP; above 1,492 with clients that ask for it (RFC 4638).
    public var mru = PPPoEReplies.usualPayload
    public var echoInterval: Seconds = 30
    public var echoFailures: UInt8 = 3
    /// Milliseconds before a PADO.
    public var padoDelay: UInt32 = 0
    /// Sessions of a node from which each PADO waits `loadedDelay`; 0: never.
    public var loadedSessions: UInt32 = 0
    public var loadedDelay: UInt32 = 0
    /// Sessions of a MAC address on a line: one more replaces the oldest.
    public var sessionsPerMAC: UInt32 = 1
    /// Sessions and dialling clients of one pair of tags; 0: no limit.
    public var sessionsPerLine: UInt32 = 0
    /// The same of a node; 0: no limit.
    public var sessionsPerNode: UInt32 = 0
    public var ipv6cp = true
    public var clampMSS = true

    init() {}
}

/// What a node's PPPoE services need beside the configuration.
public struct PPPoEServing: Sendable, Equatable {
    public var cookieKey: [UInt8]
    public var previousCookieKey: [UInt8]
    /// PPPoE sessions of the node.
    public var sessions: Int

    public init(cookieKey: [UInt8], previousCookieKey: [UInt8], sessions: Int) {
        self.cookieKey = cookieKey
        self.previousCookieKey = previousCookieKey
        self.sessions = sessions
    }
}

extension PPPoESettings {
    func policy(of domain: AccessDomain, _ serving: PPPoEServing) -> PPPoEServicePolicy {
        let isLoaded = self.loadedSessions > 0 && serving.sessions >= Int(self.loadedSessions)
        return PPPoEServicePolicy(
            accessDomain: domain.id, acName: self.acName, serviceNames: self.services, anyService: self.anyService,
            maxPayload: self.mru > PPPoEReplies.usualPayload ? UInt32(self.mru) : 0,
            padoDelay: isLoaded ? max(self.padoDelay, self.loadedDelay) : self.padoDelay,
            cookieKey: serving.cookieKey, previousCookieKey: serving.previousCookieKey)
    }
}

extension ConfigurationReader {
    func readPPPoE(_ node: Node, path: String, _ domain: AccessDomain) -> PPPoESettings? {
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return nil }
        var settings = PPPoESettings()
        settings.acName = self.readName(&reader, "ac-name") ?? "bng-\(domain.name)"
        settings.services = reader.list("services").compactMap {
            self.problems.parse($0, reader.name("services"), "a name of 1 to 64 bytes", Self.pppoeName)
        }
        if settings.services.count > PPPoEServicePolicy.serviceLimit
            || Set(settings.services).count != settings.services.count
        {
            self.problems.add(
                reader.place(of: "services"), "\(path).services: expected at most 16 names, none of them twice")
        }
        settings.anyService = reader.flag("any-service") ?? settings.services.isEmpty
        settings.authentication = self.readAuthentication(&reader) ?? settings.authentication
        settings.mru = reader.integer("mru", 576...9_000) ?? settings.mru
        settings.ipv6cp = reader.flag("ipv6cp") ?? true
        settings.clampMSS = reader.flag("clamp-mss") ?? true
        self.readEcho(&reader, &settings)
        self.readDelay(&reader, &settings)
        settings.sessionsPerMAC = reader.integer("sessions-per-mac", 1...64) ?? 1
        settings.sessionsPerLine = reader.integer("sessions-per-line", 0...1_000_000) ?? 0
        settings.sessionsPerNode = reader.integer("sessions-per-node", 0...10_000_000) ?? 0
        reader.finish()
        return settings
    }

    private static func pppoeName(_ text: String) -> String? {
        (1...PPPoEServicePolicy.nameLimit).contains(text.utf8.count) ? text : nil
    }

    private func readName(_ reader: inout MappingReader, _ key: String) -> String? {
        reader.value(key, "a name of 1 to 64 bytes", Self.pppoeName)
    }

    private func readAuthentication(_ reader: inout MappingReader) -> [PPPoESettings.Authentication]? {
        guard reader.node("authentication") != nil else { return nil }
        let words = reader.list("authentication")
        if words.count == 1, words[0].scalar?.string == "none" { return [] }
        let names = PPPoESettings.Authentication.allCases.map(\.rawValue).joined(separator: " | ")
        let found = words.compactMap {
            self.problems.parse($0, reader.name("authentication"), "\(names), or none alone") {
                PPPoESettings.Authentication(rawValue: $0)
            }
        }
        if Set(found).count != found.count {
            self.problems.add(
                reader.place(of: "authentication"), "\(reader.name("authentication")): expected each word once")
        }
        return found
    }

    private func readEcho(_ reader: inout MappingReader, _ settings: inout PPPoESettings) {
        if let interval = reader.seconds("echo-interval") {
            settings.echoInterval = interval
            if interval.value > 3_600 {
                self.problems.add(
                    reader.place(of: "echo-interval"), "\(reader.name("echo-interval")): expected at most 1h")
            }
        }
        settings.echoFailures = reader.integer("echo-failures", 1...255) ?? settings.echoFailures
        if settings.echoInterval == 0 { settings.echoFailures = 0 }
    }

    private func readDelay(_ reader: inout MappingReader, _ settings: inout PPPoESettings) {
        settings.padoDelay = reader.milliseconds("pado-delay", 0...PPPoEServicePolicy.delayLimit) ?? 0
        guard let node = reader.node("pado-delay-loaded"),
            var loaded = MappingReader(node, path: reader.name("pado-delay-loaded"), problems: self.problems)
        else { return }
        settings.loadedSessions = loaded.integer("sessions", 1...10_000_000, required: true) ?? 0
        settings.loadedDelay = loaded.milliseconds("delay", 0...PPPoEServicePolicy.delayLimit) ?? 0
        loaded.finish()
    }
}
