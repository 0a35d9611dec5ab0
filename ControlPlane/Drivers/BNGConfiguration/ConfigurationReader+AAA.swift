// SPDX-License-Identifier: Apache-2.0
// Reads `aaa:` and the templates of user names. Plans it names are checked with the other references.

import BNGCore
import Subscribers
import Yams

extension ConfigurationReader {
    mutating func readAAA(_ node: Node) {
        guard var reader = MappingReader(node, path: "aaa", problems: self.problems) else { return }
        var settings = AAASettings()
        settings.chain = self.readChain(&reader)
        settings.userName = self.readUserName(&reader) ?? .mac
        settings.defaultPlan = self.readPlanName(&reader, "default-plan") ?? ""
        settings.onReject = self.readRejectPolicy(&reader)
        settings.onUnavailable = self.readOutagePolicy(&reader)
        if let entry = reader.node("users"),
            var users = MappingReader(entry, path: "aaa.users", problems: self.problems)
        {
            settings.users = users.choice("policy", UserLimitPolicy.self) ?? .replace
            users.finish()
        }
        if let entry = reader.node("accounting") { settings.accounting = self.readAccounting(entry) }
        settings.subscribers = reader.text("subscribers", "the path of a file of subscribers") ?? ""
        settings.keyFile = reader.text("key-file", "the path of a file that holds a key") ?? ""
        reader.finish()
        self.configuration.aaa = settings
    }

    private func readChain(_ reader: inout MappingReader) -> [AAASettings.Source] {
        let expected = AAASettings.Source.allCases.map(\.rawValue).joined(separator: " | ")
        var chain: [AAASettings.Source] = []
        for entry in reader.list("chain") {
            let source = self.problems.parse(entry, "aaa.chain", expected) { AAASettings.Source(rawValue: $0) }
            guard let source else { continue }
            if chain.contains(source) { self.problems.add(entry, "aaa.chain: \(source.rawValue) is given twice") }
            chain.append(source)
        }
        return chain
    }

    /// The key `user-name` of a mapping.
    func readUserName(_ reader: inout MappingReader) -> UserNameTemplate? {
        guard let text = reader.text("user-name", "a name with placeholders such as {mac}") else { return nil }
        do throws(UserNameTemplate.Problem) {
            return try UserNameTemplate(text)
        } catch {
            self.problems.add(reader.place(of: "user-name"), "\(reader.name("user-name")): \(error)")
            return nil
        }
    }

    private mutating func readPlanName(_ reader: inout MappingReader, _ key: String) -> String? {
        guard let name = reader.text(key, "the name of a plan") else { return nil }
        self.planReferences.append((reader.name(key), name, reader.place(of: key)))
        return name
    }

    private mutating func readRejectPolicy(_ reader: inout MappingReader) -> RejectPolicy {
        enum Policy: String, CaseIterable { case silence, lockOut = "lock-out", garden }
        let policy = reader.choice("on-reject", Policy.self) ?? .silence
        let plan = self.readPlanName(&reader, "garden-plan")
        let lockOut = reader.node("lock-out").map { self.readLockOut($0) } ?? .lockOut(after: 3, for: 60)
        self.only("lock-out", with: "on-reject: lock-out", policy == .lockOut, &reader)
        self.only("garden-plan", with: "on-reject: garden", policy == .garden, &reader)
        switch policy {
        case .silence: return .silence
        case .lockOut: return lockOut
        case .garden:
            if plan == nil {
                self.problems.add(
                    reader.place(of: "on-reject"), "aaa.garden-plan is missing: expected the name of a plan")
            }
            return .garden(plan: plan ?? "")
        }
    }

    private func readLockOut(_ node: Node) -> RejectPolicy {
        guard var reader = MappingReader(node, path: "aaa.lock-out", problems: self.problems) else { return .silence }
        let after: UInt32 = reader.integer("after", 1...1_000) ?? 3
        let time = reader.seconds("for") ?? 60
        if time.value == 0 { self.problems.add(reader.place(of: "for"), "aaa.lock-out.for: expected at least 1s") }
        reader.finish()
        return .lockOut(after: after, for: time)
    }

    private mutating func readOutagePolicy(_ reader: inout MappingReader) -> OutagePolicy {
        enum Policy: String, CaseIterable { case refuse, lastKnown = "last-known", plan }
        let policy = reader.choice("on-unavailable", Policy.self) ?? .refuse
        let plan = self.readPlanName(&reader, "outage-plan")
        self.only("outage-plan", with: "on-unavailable: plan", policy == .plan, &reader)
        switch policy {
        case .refuse: return .refuse
        case .lastKnown: return .lastKnown
        case .plan:
            if plan == nil {
                self.problems.add(
                    reader.place(of: "on-unavailable"), "aaa.outage-plan is missing: expected the name of a plan")
            }
            return .plan(plan ?? "")
        }
    }

    private func only(_ key: String, with condition: String, _ holds: Bool, _ reader: inout MappingReader) {
        guard reader.node(key) != nil, !holds else { return }
        self.problems.add(reader.place(of: key), "\(reader.name(key)): expected only with \(condition)")
    }

    private func readAccounting(_ node: Node) -> AccountingSettings {
        var settings = AccountingSettings()
        guard var reader = MappingReader(node, path: "aaa.accounting", problems: self.problems) else { return settings }
        settings.enabled = reader.flag("enabled") ?? true
        settings.interimInterval = reader.seconds("interim-interval") ?? settings.interimInterval
        settings.spoolLimit = reader.integer("spool-limit", 1...100_000_000) ?? settings.spoolLimit
        reader.finish()
        return settings
    }
}
