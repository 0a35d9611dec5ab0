// SPDX-License-Identifier: Apache-2.0
// Changes of local subscribers by operators: checked, made durable, then in force, then told to whoever serves the customer.

import BNGCore
import Subscribers

/// Where subscribers are kept. The app adapts the store to this.
public protocol SubscriberStoring: Sendable {
    func put(_ subscriber: LocalSubscriber) async throws
    func remove(_ name: String) async throws
}

/// The operator's side of the local directory.
public actor SubscriberRegistry {
    public nonisolated let authenticator: LocalAuthenticator
    private let store: any SubscriberStoring
    private let catalog: PlanCatalog
    private let cryptography: any PasswordCryptography
    private let changed: @Sendable (String) -> Void
    /// Ascending.
    private var names: [String]
    /// Who is given which address.
    private var holders: [GivenAddress: String] = [:]
    private var busy: Set<String> = []

    private struct GivenAddress: Hashable {
        var address: IPv4Address
        var pool: String?

        init?(_ subscriber: LocalSubscriber?) {
            guard let subscriber, let address = subscriber.address else { return nil }
            (self.address, self.pool) = (address, subscriber.pool)
        }
    }

    /// - Parameters:
    ///   - subscribers: of the store and of the file; of one name, the file's counts.
    ///   - changed: called with the user name after each change, when it is in force.
    public init(
        _ subscribers: [LocalSubscriber], catalog: PlanCatalog, cryptography: any PasswordCryptography,
        store: any SubscriberStoring, changed: @escaping @Sendable (String) -> Void
    ) {
        let directory = LocalDirectory(subscribers)
        self.authenticator = LocalAuthenticator(directory, cryptography: cryptography)
        self.names = directory.all.map(\.name).sorted()
        for subscriber in directory.all {
            if let given = GivenAddress(subscriber) { self.holders[given] = subscriber.name }
        }
        self.store = store
        self.catalog = catalog
        self.cryptography = cryptography
        self.changed = changed
    }

    // MARK: Asking

    public func subscriber(_ name: String) -> LocalSubscriber? { self.authenticator.subscriber(named: name) }

    /// Subscribers whose name comes after `after`, ascending.
    public func page(after: String?, limit: Int) -> [LocalSubscriber] {
        let start = after.map { after in self.position(of: after, inclusive: true) } ?? 0
        return self.names[start...].prefix(limit).compactMap { self.authenticator.subscriber(named: $0) }
    }

    /// Subscribers whose grant names what is not configured (any more): they would be refused.
    public func unservable() -> [(name: String, problem: ProfileProblem)] {
        self.authenticator.snapshot().all.compactMap { subscriber in
            do throws(ProfileProblem) {
                _ = try self.catalog.profile(of: subscriber.grant)
                return nil
            } catch {
                return (subscriber.name, error)
            }
        }.sorted { $0.name < $1.name }
    }

    // MARK: Changing

    public func add(_ name: String, _ settings: LocalSubscriberChange) async throws(LocalAAAError) -> LocalSubscriber {
        guard LocalSubscriber.isName(name) else {
            throw .invalid("the name: expected 1 to \(LocalSubscriber.nameLimit) bytes without control characters")
        }
        if let known = self.subscriber(name) {
            try Self.checkIsOurs(known)
            throw .exists(name)
        }
        let subscriber = settings.applied(to: LocalSubscriber(name: name, origin: .store))
        try await self.save(subscriber)
        self.names.insert(name, at: self.position(of: name, inclusive: false))
        self.changed(name)
        return subscriber
    }

    public func change(
        _ name: String, _ settings: LocalSubscriberChange
    ) async throws(LocalAAAError) -> LocalSubscriber {
        guard let known = self.subscriber(name) else { throw .unknown(name) }
        try Self.checkIsOurs(known)
        let subscriber = settings.applied(to: known)
        guard subscriber != known else { return known }
        try await self.save(subscriber)
        self.changed(name)
        return subscriber
    }

    public func remove(_ name: String) async throws(LocalAAAError) {
        guard let known = self.subscriber(name) else { throw .unknown(name) }
        try Self.checkIsOurs(known)
        guard self.busy.insert(name).inserted else { throw .busy(name) }
        defer { self.busy.remove(name) }
        do { try await self.store.remove(name) } catch { throw .store("\(error)") }
        self.authenticator.update { $0.remove(name) }
        self.names.remove(at: self.position(of: name, inclusive: false))
        if let given = GivenAddress(known) { self.holders[given] = nil }
        self.changed(name)
    }

    /// The record of a password, for a subscriber of that name.
    public func record(
        of password: [UInt8], name: String, sealed: Bool
    ) async throws(LocalAAAError) -> PasswordRecord {
        guard (1...PasswordRecord.passwordLimit).contains(password.count) else {
            throw .invalid("the password: expected 1 to \(PasswordRecord.passwordLimit) bytes, got \(password.count)")
        }
        let cryptography = self.cryptography
        let record = await withCheckedContinuation { continuation in
            self.authenticator.compute {
                sealed
                    ? PasswordRecord.sealed(password, name: name, with: cryptography)
                    : PasswordRecord.scrypt(password, with: cryptography)
            } then: {
                continuation.resume(returning: $0)
            }
        }
        guard let record else { throw .store("too many passwords are being checked: try again") }
        guard let record else {
            throw .invalid(sealed ? "there is no key to seal passwords with: set aaa.key-file" : "no memory for scrypt")
        }
        return record
    }

    private func save(_ subscriber: LocalSubscriber) async throws(LocalAAAError) {
        try self.check(subscriber)
        guard self.busy.insert(subscriber.name).inserted else { throw .busy(subscriber.name) }
        defer { self.busy.remove(subscriber.name) }
        do { try await self.store.put(subscriber) } catch { throw .store("\(error)") }
        if let given = GivenAddress(self.subscriber(subscriber.name)) { self.holders[given] = nil }
        if let given = GivenAddress(subscriber) { self.holders[given] = subscriber.name }
        self.authenticator.update { $0.put(subscriber) }
    }

    private func check(_ subscriber: LocalSubscriber) throws(LocalAAAError) {
        do throws(ProfileProblem) {
            _ = try self.catalog.profile(of: subscriber.grant)
        } catch {
            throw .invalid("\(error)")
        }
        guard subscriber.routes.count <= LocalSubscriber.routeLimit else {
            throw .invalid("\(subscriber.routes.count) routes: expected at most \(LocalSubscriber.routeLimit)")
        }
        guard let address = subscriber.address else { return }
        guard address.isUnicastHost else { throw .invalid("the address \(address): expected one of a single host") }
        if let holder = GivenAddress(subscriber).flatMap({ self.holders[$0] }), holder != subscriber.name {
            throw .invalid("the address \(address) is already given to subscriber \(holder)")
        }
    }

    private static func checkIsOurs(_ subscriber: LocalSubscriber) throws(LocalAAAError) {
        if case .file(let file) = subscriber.origin { throw .definedInFile(name: subscriber.name, file: file) }
    }

    /// Where a name stands or would stand; with `inclusive`, behind it.
    private func position(of name: String, inclusive: Bool) -> Int {
        var (low, high) = (0, self.names.count)
        while low < high {
            let middle = (low + high) / 2
            if self.names[middle] < name || inclusive && self.names[middle] == name {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}
