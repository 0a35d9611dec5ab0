// SPDX-License-Identifier: Apache-2.0
// Who answers on which thread, and what happens when too many ask at once.

import BNGCore
import Foundation
import Subscribers
import Synchronization
import TestVectors
import Testing

@testable import LocalAAA

func request(_ name: String, _ credential: AuthorizationRequest.Credential = .line) -> AuthorizationRequest {
    AuthorizationRequest(
        session: SessionID(issuer: 1, counter: 1), userName: name, credential: credential,
        facts: LineFacts(node: "n", port: "p", accessDomain: 1, sVLAN: 0, cVLAN: 0, mac: .zero))
}

/// Holds every scrypt until it is let go; counts who is inside.
private final class GatedCryptography: PasswordCryptography {
    let gate = DispatchSemaphore(value: 0)
    let inside = Atomic<Int>(0)

    func scrypt(_ password: [UInt8], salt: [UInt8], cost: ScryptCost, count: Int) -> [UInt8]? {
        self.inside.add(1, ordering: .relaxed)
        self.gate.wait()
        return [UInt8](repeating: password.first ?? 0, count: count)
    }
    func seal(_ password: [UInt8], name: String) -> [UInt8]? { nil }
    func open(_ sealed: [UInt8], name: String) -> [UInt8]? { nil }
    func chapResponse(identifier: UInt8, secret: [UInt8], challenge: [UInt8]) -> [UInt8] { [] }
    func msChapV2Proof(name: [UInt8], secret: [UInt8], challenge: [UInt8], response: [UInt8]) -> [UInt8]? { nil }
    func randomBytes(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
}

extension LocalAuthenticator {
    func answer(_ request: AuthorizationRequest) async -> AuthorizationOutcome? {
        await withCheckedContinuation { continuation in
            self.authorize(request) { continuation.resume(returning: $0) }
        }
    }
}

private func login(_ name: String, digest: UInt8) -> LocalSubscriber {
    var subscriber = LocalSubscriber(name: name, origin: .store)
    subscriber.password = .scrypt(.usual, salt: [0], digest: [UInt8](repeating: digest, count: 32))
    return subscriber
}

struct LocalAuthenticatorTests {
    @Test func `a line is answered before the call returns`() async throws {
        let directory = LocalDirectory([LocalSubscriber(name: "line", origin: .store)])
        let authenticator = LocalAuthenticator(directory, cryptography: GatedCryptography())
        let answers = Mutex<[AuthorizationOutcome?]>([])
        authenticator.authorize(request("line")) { outcome in answers.withLock { $0.append(outcome) } }
        authenticator.authorize(request("nobody")) { outcome in answers.withLock { $0.append(outcome) } }
        let expected = ServiceGrant(source: .local, userName: "line")
        #expect(answers.withLock { $0 } == [.accept(expected), nil])
        try await authenticator.shutDown()
    }

    @Test func `a password never holds the caller, and lines go on meanwhile`() async throws {
        let cryptography = GatedCryptography()
        let directory = LocalDirectory([login("login", digest: 7), LocalSubscriber(name: "line", origin: .store)])
        let authenticator = LocalAuthenticator(directory, cryptography: cryptography, threads: 1)
        async let right = authenticator.answer(request("login", .password([7])))
        async let wrong = authenticator.answer(request("login", .password([8])))
        let line = await authenticator.answer(request("line"))
        #expect(line == .accept(ServiceGrant(source: .local, userName: "line")))
        cryptography.gate.signal()
        cryptography.gate.signal()
        #expect(await right == .accept(ServiceGrant(source: .local, userName: "login")))
        #expect(await wrong == .reject(message: "wrong user name or password"))
        try await authenticator.shutDown()
    }

    @Test func `more than may wait are answered unavailable at once`() async throws {
        let cryptography = GatedCryptography()
        let authenticator = LocalAuthenticator(
            LocalDirectory([login("login", digest: 7)]), cryptography: cryptography, threads: 2, queueLimit: 5)
        let answers = Mutex<[AuthorizationOutcome?]>([])
        for _ in 0..<8 {
            authenticator.authorize(request("login", .password([7]))) { outcome in
                answers.withLock { $0.append(outcome) }
            }
        }
        #expect(answers.withLock { $0 } == [.unavailable, .unavailable, .unavailable])
        for _ in 0..<5 { cryptography.gate.signal() }
        let deadline = ContinuousClock.now + .seconds(20)
        while answers.withLock({ $0.count }) < 8, ContinuousClock.now < deadline { await Task.yield() }
        #expect(answers.withLock { $0.count { $0 != .unavailable } } == 5)
        #expect(cryptography.inside.load(ordering: .relaxed) == 5)
        try await authenticator.shutDown()
    }

    @Test func `after the end passwords are answered unavailable`() async throws {
        let authenticator = LocalAuthenticator(
            LocalDirectory([login("login", digest: 7)]), cryptography: GatedCryptography())
        try await authenticator.shutDown()
        #expect(await authenticator.answer(request("login", .password([7]))) == .unavailable)
    }

    @Test func `a sealed password is decided before the call returns, in little time`() async throws {
        try await self.withSealed { authenticator in
            let (name, secret) = (Array("alice".utf8), Array("hunter2".utf8))
            let challenge = [UInt8](1...16)
            let chap = TestDigests().md5([7] + secret + challenge)
            let microsoft = MSCHAPv2.response(
                challenge: challenge, peerChallenge: challenge, name: name, password: secret)
            let credentials: [AuthorizationRequest.Credential] = [
                .password(secret), .chap(identifier: 7, challenge: challenge, response: chap),
                .msChapV2(identifier: 7, challenge: challenge, response: microsoft),
            ]
            let answers = Mutex(0)
            for credential in credentials {
                let time = ContinuousClock().measure {
                    for _ in 0..<100 {
                        authenticator.authorize(request("alice", credential)) { outcome in
                            if case .accept = outcome { answers.withLock { $0 += 1 } }
                        }
                    }
                }
                print("local AAA: one sealed login takes \(time / 100)")
            }
            #expect(answers.withLock { $0 } == 300)
        }
    }

    private func withSealed(_ body: (LocalAuthenticator) throws -> Void) async throws {
        var made: LocalAuthenticator?
        try withFile(String(repeating: "0f", count: 32)) { path in
            let cryptography = try CryptoPasswords(keyFile: path)
            var subscriber = LocalSubscriber(name: "alice", origin: .store)
            subscriber.password = .sealed(Array("hunter2".utf8), name: "alice", with: cryptography)
            made = LocalAuthenticator(LocalDirectory([subscriber]), cryptography: cryptography)
        }
        let authenticator = try #require(made)
        try body(authenticator)
        try await authenticator.shutDown()
    }

    @Test func `a real login takes real scrypt`() async throws {
        let cryptography = try CryptoPasswords(keyFile: "")
        var subscriber = LocalSubscriber(name: "alice", origin: .store)
        let clock = ContinuousClock()
        let time = clock.measure { subscriber.password = .scrypt(Array("hunter2".utf8), with: cryptography) }
        print("local AAA: one scrypt takes \(time)")
        let authenticator = LocalAuthenticator(LocalDirectory([subscriber]), cryptography: cryptography)
        let right = await authenticator.answer(request("alice", .password(Array("hunter2".utf8))))
        #expect(right == .accept(ServiceGrant(source: .local, userName: "alice")))
        let wrong = await authenticator.answer(request("alice", .password(Array("hunter3".utf8))))
        #expect(wrong == .reject(message: "wrong user name or password"))
        try await authenticator.shutDown()
    }
}
