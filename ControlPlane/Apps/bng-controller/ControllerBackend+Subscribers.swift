// SPDX-License-Identifier: Apache-2.0
// Local subscribers for the operator API: texts into values and back.

import AdminAPI
import AdminContract
import BNGCore
import LocalAAA
import Subscribers

extension ControllerBackend {
    private var registry: SubscriberRegistry { self.controller.subscribers }

    func subscribers(after: String?, limit: Int) async throws -> SubscriberPage {
        let found = await self.registry.page(after: after, limit: limit + 1)
        let page = found.prefix(limit)
        return SubscriberPage(
            subscribers: page.map(SubscriberView.init), next: found.count > page.count ? page.last?.name : nil)
    }

    func subscriber(_ name: String) async throws -> SubscriberView? {
        await self.registry.subscriber(name).map(SubscriberView.init)
    }

    func addSubscriber(_ name: String, _ settings: SubscriberSettings) async throws -> SubscriberView {
        try await self.refusals {
            SubscriberView(try await self.registry.add(name, try await self.change(settings, of: name)))
        }
    }

    func changeSubscriber(_ name: String, _ settings: SubscriberSettings) async throws -> SubscriberView {
        try await self.refusals {
            SubscriberView(try await self.registry.change(name, try await self.change(settings, of: name)))
        }
    }

    func removeSubscriber(_ name: String) async throws {
        try await self.refusals { try await self.registry.remove(name) }
    }

    func passwordRecord(_ request: PasswordRequest) async throws -> PasswordRecordView {
        try await self.refusals {
            let record = try await self.registry.record(
                of: Array(request.password.utf8), name: request.name, sealed: request.sealed)
            return PasswordRecordView(record: record.text)
        }
    }

    private func refusals<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as LocalAAAError {
            switch error {
            case .unknown(let name): throw AdminRefusal.unknownSubscriber(name)
            case .exists, .definedInFile, .busy: throw AdminRefusal.conflict(error.description)
            case .invalid: throw AdminRefusal.invalid(error.description)
            case .store, .keyFile: throw error
            }
        }
    }

    private func change(_ settings: SubscriberSettings, of name: String) async throws -> LocalSubscriberChange {
        var change = LocalSubscriberChange()
        change.plan = Self.setting(settings.plan) { $0 }
        change.pool = Self.setting(settings.pool) { $0 }
        change.note = Self.setting(settings.note) { $0 }
        change.isSuspended = settings.suspended
        change.address = try Self.setting(settings.address) { text in
            guard let address = IPv4Address(text) else {
                throw AdminRefusal.invalid("address: expected an IPv4 address, found \"\(text)\"")
            }
            return address
        }
        change.linkPrefix = try Self.setting(settings.ipv6Prefix) { try Self.prefix($0, "ipv6Prefix") }
        change.delegatedPrefix = try Self.setting(settings.delegatedPrefix) { try Self.prefix($0, "delegatedPrefix") }
        change.ipv6Address = try Self.setting(settings.ipv6Address) { text in
            guard let address = IPv6Address(text), address.isRoutableUnicast else {
                throw AdminRefusal.invalid("ipv6Address: expected an IPv6 address of a host, found \"\(text)\"")
            }
            return address
        }
        if let routes = settings.routes {
            let (ipv4, ipv6) = try Self.routes(routes)
            change.routes = ipv4.isEmpty ? .clear : .set(ipv4)
            change.ipv6Routes = ipv6.isEmpty ? .clear : .set(ipv6)
        }
        if let password = settings.password {
            change.password =
                password.isEmpty
                ? .clear
                : .set(
                    try await self.registry.record(
                        of: Array(password.utf8), name: name, sealed: settings.sealed ?? false))
        } else if settings.sealed != nil {
            throw AdminRefusal.invalid("sealed: expected only beside a password")
        }
        return change
    }

    private static func setting<Value>(
        _ text: String?, _ parse: (String) throws -> Value
    ) rethrows -> LocalSubscriberChange.Setting<Value> {
        guard let text else { return .keep }
        return text.isEmpty ? .clear : .set(try parse(text))
    }

    private static func prefix(_ text: String, _ key: String) throws -> IPv6Prefix {
        guard let prefix = IPv6Prefix(text), prefix.first.isRoutableUnicast else {
            throw AdminRefusal.invalid("\(key): expected an IPv6 prefix, host bits zero, found \"\(text)\"")
        }
        return prefix
    }

    private static func routes(_ texts: [String]) throws -> ([IPv4Prefix], [IPv6Prefix]) {
        var (ipv4, ipv6): ([IPv4Prefix], [IPv6Prefix]) = ([], [])
        for text in texts {
            if let prefix = IPv4Prefix(text), prefix.length > 0 {
                ipv4.append(prefix)
            } else if let prefix = IPv6Prefix(text), prefix.length > 0 {
                ipv6.append(prefix)
            } else {
                throw AdminRefusal.invalid(
                    "routes: expected prefixes of length 1-32 or 1-128, host bits zero, found \"\(text)\"")
            }
        }
        return (ipv4, ipv6)
    }
}

extension SubscriberView {
    init(_ subscriber: LocalSubscriber) {
        let file = if case .file(let file) = subscriber.origin { file } else { "" }
        self.init(
            name: subscriber.name, plan: subscriber.plan ?? "", address: subscriber.address?.description ?? "",
            pool: subscriber.pool ?? "",
            routes: subscriber.routes.map(\.description) + subscriber.ipv6Routes.map(\.description),
            suspended: subscriber.isSuspended, note: subscriber.note, password: subscriber.password?.description ?? "",
            file: file)
        self.ipv6Prefix = subscriber.linkPrefix?.description ?? ""
        self.delegatedPrefix = subscriber.delegatedPrefix?.description ?? ""
        self.ipv6Address = subscriber.ipv6Address?.description ?? ""
    }
}
