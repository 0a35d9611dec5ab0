// SPDX-License-Identifier: Apache-2.0
// The subscribers a controller knows itself, by user name, and what it answers for them.

/// Local AAA in memory: every question is one look-up.
///
/// - A user who is not here is nobody's business here: the next in the chain is asked.
/// - A suspended one is rejected.
/// - Without a password the line is the proof; then a login with any password is refused, or a stranger could log in elsewhere
///   under the name of a line.
/// - With a password, a line's name alone proves nothing: parts of it may be the client's own words.
public struct LocalDirectory: Sendable {
    /// What is known at once.
    public enum Decision: Equatable, Sendable {
        /// Not known here.
        case unknown
        case decided(AuthorizationOutcome)
        /// It takes a computation; if the credential is right, the grant holds.
        case provable(PasswordRecord, ServiceGrant)
    }

    private var subscribers: [String: LocalSubscriber] = [:]

    /// Of two with one name, one from a file wins, else the first.
    public init(_ subscribers: [LocalSubscriber] = []) {
        self.subscribers.reserveCapacity(subscribers.count)
        for subscriber in subscribers {
            let known = self.subscribers[subscriber.name]
            if known == nil || known?.origin == .store && subscriber.origin != .store { self.put(subscriber) }
        }
    }

    public var count: Int { self.subscribers.count }
    public var all: some Collection<LocalSubscriber> { self.subscribers.values }
    public func subscriber(named name: String) -> LocalSubscriber? { self.subscribers[name] }
    public mutating func put(_ subscriber: LocalSubscriber) { self.subscribers[subscriber.name] = subscriber }
    public mutating func remove(_ name: String) { self.subscribers[name] = nil }

    /// Decides as far as no secret has to be computed.
    public func decide(_ request: AuthorizationRequest) -> Decision {
        guard !request.userName.isEmpty, let subscriber = self.subscribers[request.userName] else { return .unknown }
        if subscriber.isSuspended { return .decided(.reject(message: "suspended")) }
        switch (request.credential, subscriber.password) {
        case (.line, nil): return .decided(.accept(subscriber.grant))
        case (.line, .some): return .decided(.reject(message: "a password is required"))
        case (.proven, .some): return .decided(.accept(subscriber.grant))
        case (.password, nil), (.chap, nil), (.msChapV2, nil), (.proven, nil):
            return .decided(.reject(message: "wrong user name or password"))
        case (.password, .some(let record)), (.chap, .some(let record)), (.msChapV2, .some(let record)):
            return .provable(record, subscriber.grant)
        }
    }

    /// The answer to a request whose credential has been looked at.
    public static func outcome(_ verdict: PasswordRecord.Verdict, _ grant: ServiceGrant) -> AuthorizationOutcome {
        switch verdict {
        case .right: return .accept(grant)
        case .mutual(let proof):
            var grant = grant
            grant.authenticationMessage = proof
            return .accept(grant)
        case .wrong, .undecidable: return .reject(message: "wrong user name or password")
        }
    }
}
