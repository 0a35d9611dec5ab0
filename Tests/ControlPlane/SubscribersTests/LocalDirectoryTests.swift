// SPDX-License-Identifier: Apache-2.0
// What the local directory answers, and how passwords are compared; with cryptography that is none.

import BNGCore
import Subscribers
import Testing

/// Reversible and cheap: shows what was asked of it.
private struct PlainCryptography: PasswordCryptography {
    var hasKey = true

    func scrypt(_ password: [UInt8], salt: [UInt8], cost: ScryptCost, count: Int) -> [UInt8]? {
        Array((password + salt + [UInt8](repeating: UInt8(cost.logCost), count: count)).prefix(count))
    }
    func seal(_ password: [UInt8], name: String) -> [UInt8]? {
        self.hasKey ? Array(name.utf8) + [0] + password : nil
    }
    func open(_ sealed: [UInt8], name: String) -> [UInt8]? {
        let start = Array(name.utf8) + [0]
        return self.hasKey && sealed.starts(with: start) ? Array(sealed.dropFirst(start.count)) : nil
    }
    func chapResponse(identifier: UInt8, secret: [UInt8], challenge: [UInt8]) -> [UInt8] {
        [identifier] + secret + challenge
    }
    func msChapV2Proof(name: [UInt8], secret: [UInt8], challenge: [UInt8], response: [UInt8]) -> [UInt8]? {
        response == name + secret + challenge ? Array("S=".utf8) + secret : nil
    }
    func randomBytes(_ count: Int) -> [UInt8] { [UInt8](repeating: 5, count: count) }
}

private func request(
    _ name: String, _ credential: AuthorizationRequest.Credential = .line
) -> AuthorizationRequest {
    AuthorizationRequest(
        session: SessionID(issuer: 1, counter: 1), userName: name, credential: credential,
        facts: LineFacts(node: "n", port: "p", accessDomain: 1, sVLAN: 0, cVLAN: 0, mac: .zero))
}

private let secret = Array("secret".utf8)

private func directory() throws -> LocalDirectory {
    var line = LocalSubscriber(name: "line", origin: .store)
    (line.plan, line.address, line.pool) = ("gold", IPv4Address("192.0.2.9"), "main")
    line.routes = [try #require(IPv4Prefix("198.51.100.0/24"))]
    var login = LocalSubscriber(name: "login", origin: .store)
    login.password = PasswordRecord.scrypt(secret, with: PlainCryptography())
    var suspended = login
    (suspended.name, suspended.isSuspended) = ("suspended", true)
    return LocalDirectory([line, login, suspended])
}

struct LocalDirectoryTests {
    @Test func `a line is granted what its entry says`() throws {
        guard case .decided(.accept(let grant)) = try directory().decide(request("line")) else {
            Issue.record("not accepted")
            return
        }
        #expect(grant.source == .local && grant.userName == "line" && grant.plan == "gold" && grant.pool == "main")
        #expect(grant.address == IPv4Address("192.0.2.9") && grant.routes.map(\.description) == ["198.51.100.0/24"])
    }

    @Test(arguments: ["nobody", "", "LINE", "line "])
    func `a name that is not here byte for byte is left to the next in the chain`(_ name: String) throws {
        #expect(try directory().decide(request(name)) == .unknown)
    }

    @Test func `a suspended subscriber is rejected before any password is looked at`() throws {
        let suspended = LocalDirectory.Decision.decided(.reject(message: "suspended"))
        #expect(try directory().decide(request("suspended")) == suspended)
        #expect(try directory().decide(request("suspended", .password(secret))) == suspended)
    }

    @Test func `a login needs its password, and a line has none`() throws {
        let directory = try directory()
        #expect(directory.decide(request("login")) == .decided(.reject(message: "a password is required")))
        let wrong = LocalDirectory.Decision.decided(.reject(message: "wrong user name or password"))
        #expect(directory.decide(request("line", .password(secret))) == wrong)
        #expect(directory.decide(request("line", .chap(identifier: 1, challenge: [], response: []))) == wrong)
        guard case .provable(_, let grant) = directory.decide(request("login", .password(secret))) else {
            Issue.record("a password proves nothing")
            return
        }
        #expect(LocalDirectory.outcome(.right, grant) == .accept(grant))
        #expect(LocalDirectory.outcome(.wrong, grant) == .reject(message: "wrong user name or password"))
    }

    @Test func `of two with one name the file's counts`() {
        let stored = LocalSubscriber(name: "x", origin: .store)
        let filed = LocalSubscriber(name: "x", origin: .file("f"))
        #expect(LocalDirectory([stored, filed]).subscriber(named: "x")?.origin == .file("f"))
        #expect(LocalDirectory([filed, stored]).subscriber(named: "x")?.origin == .file("f"))
    }

    @Test func `a change leaves what it does not name`() throws {
        var subscriber = try #require(directory().subscriber(named: "line"))
        subscriber.note = "n"
        var change = LocalSubscriberChange()
        #expect(change.applied(to: subscriber) == subscriber)
        (change.plan, change.address, change.routes, change.isSuspended) = (.set("basic"), .clear, .clear, true)
        let changed = change.applied(to: subscriber)
        #expect(changed.plan == "basic" && changed.address == nil && changed.routes.isEmpty && changed.isSuspended)
        #expect(changed.pool == "main" && changed.note == "n")
    }
}

struct PasswordRecordTests {
    private let cryptography = PlainCryptography()

    @Test func `a scrypt record proves a password and nothing else`() throws {
        let record = try #require(PasswordRecord.scrypt(secret, with: self.cryptography))
        func verdict(_ credential: AuthorizationRequest.Credential) -> PasswordRecord.Verdict {
            record.verdict(on: credential, name: "x", with: self.cryptography)
        }
        #expect(verdict(.password(secret)) == .right)
        #expect(verdict(.password(Array("secreT".utf8))) == .wrong && verdict(.password([])) == .wrong)
        #expect(
            verdict(.chap(identifier: 1, challenge: [1], response: [1]))
                == .undecidable("the password is stored for PAP only"))
        #expect(
            verdict(.msChapV2(identifier: 1, challenge: [1], response: [1]))
                == .undecidable("the password is stored for PAP only"))
        #expect(verdict(.line) == .undecidable("a password is required"))
    }

    @Test func `a sealed record proves itself to a client of MS-CHAPv2, and the client hears of it`() throws {
        let record = try #require(PasswordRecord.sealed(secret, name: "x", with: self.cryptography))
        func verdict(_ response: [UInt8], name: String = "x") -> PasswordRecord.Verdict {
            record.verdict(
                on: .msChapV2(identifier: 9, challenge: [1, 2], response: response), name: name,
                with: self.cryptography)
        }
        let proof = Array("S=secret".utf8)
        #expect(verdict(Array("x".utf8) + secret + [1, 2]) == .mutual(proof))
        #expect(verdict(Array("x".utf8) + secret + [1, 3]) == .wrong)
        #expect(verdict([], name: "y") == .undecidable("the key does not open the stored password"))
        let grant = ServiceGrant(source: .local, userName: "x")
        guard case .accept(let granted) = LocalDirectory.outcome(.mutual(proof), grant) else {
            Issue.record("not accepted")
            return
        }
        #expect(granted.authenticationMessage == proof)
    }

    @Test func `a sealed record proves a password and a challenge, for its own name and key`() throws {
        let record = try #require(PasswordRecord.sealed(secret, name: "x", with: self.cryptography))
        let chap = AuthorizationRequest.Credential.chap(
            identifier: 9, challenge: [1, 2], response: [9] + secret + [1, 2])
        #expect(record.verdict(on: .password(secret), name: "x", with: self.cryptography) == .right)
        #expect(record.verdict(on: chap, name: "x", with: self.cryptography) == .right)
        let forged = AuthorizationRequest.Credential.chap(
            identifier: 8, challenge: [1, 2], response: [9] + secret + [1, 2])
        #expect(record.verdict(on: forged, name: "x", with: self.cryptography) == .wrong)
        let unopened = PasswordRecord.Verdict.undecidable("the key does not open the stored password")
        #expect(record.verdict(on: chap, name: "y", with: self.cryptography) == unopened)
        let keyless = PlainCryptography(hasKey: false)
        #expect(record.verdict(on: .password(secret), name: "x", with: keyless) == unopened)
        #expect(PasswordRecord.sealed(secret, name: "x", with: keyless) == nil)
    }

    @Test func `records survive their text form, and print as their kind`() throws {
        let records = [
            PasswordRecord.scrypt(secret, with: self.cryptography),
            PasswordRecord.sealed(secret, name: "a long name", with: self.cryptography),
        ].compactMap(\.self)
        #expect(records.count == 2)
        for record in records {
            #expect(PasswordRecord(text: record.text) == record)
            #expect(["scrypt", "sealed"].contains("\(record)"))
            var subscriber = LocalSubscriber(name: "x", origin: .store)
            subscriber.password = record
            #expect(!"\(subscriber)".contains(record.text.suffix(8)))
            let text = Array(record.text.utf8)
            for count in text.indices {
                // A shorter digest within bounds is another digest; it never traps.
                let prefix = PasswordRecord(text: String(decoding: text[..<count], as: UTF8.self))
                #expect(prefix != record)
                for byte in ["0", "$", "z", "9"].map({ UInt8(ascii: $0) }) {
                    var changed = text
                    changed[count] = byte
                    guard let other = PasswordRecord(text: String(decoding: changed, as: UTF8.self)) else { continue }
                    #expect(PasswordRecord(text: other.text) == other)
                }
            }
        }
    }

    @Test(
        arguments: [
            "", "secret", "scrypt", "scrypt$15$8$1$0505050505050505$",
            "scrypt$21$8$1$0505050505050505$00000000000000000000000000000000",
            "scrypt$20$32$1$0505050505050505$00000000000000000000000000000000",
            "scrypt$9$8$1$0505050505050505$00000000000000000000000000000000",
            "scrypt$15$8$99$0505050505050505$00000000000000000000000000000000",
            "scrypt$15$8$1$05$00000000000000000000000000000000",
            "scrypt$-1$8$1$0505050505050505$00000000000000000000000000000000",
            "sealed$", "sealed$00", "md5$00000000000000000000000000000000",
        ]) func `what is no record, or would cost too much, is refused`(_ text: String)
    {
        #expect(PasswordRecord(text: text) == nil)
    }
}

extension UInt8 {
    fileprivate init(ascii text: String) { self = text.utf8.first ?? 0 }
}
