// SPDX-License-Identifier: Apache-2.0
// Asking AAA, and what follows from its answer: a profile, a place among the user's sessions, a garden, a lock-out, silence.

import BNGCore
import NIOCore
import Subscribers

extension LineShard {
    private var policy: AAAPolicy { self.world.configuration.aaa }

    /// The session machine asks whether the customer may be served.
    func authorize(_ entry: LineEntry) {
        guard let record = entry.session?.record else { return }
        var facts = record.facts(vendorClass: entry.vendorClass)
        facts.duid = facts.duid ?? entry.dhcpv6?.request.message.clientID?.bytes
        let proven = self.credentials(of: entry)
        let user = proven?.name ?? self.policy.userName(facts)
        guard let authority = self.policy.authority else {
            return self.accepted(record.id, ServiceGrant(source: .open, userName: user))
        }
        // The template found nothing it asks for: there is no name to ask about.
        guard !user.isEmpty else { return self.rejected(record.id, user, "the line has nothing to be named by") }
        let request = AuthorizationRequest(
            session: record.id, userName: user, credential: proven?.credential ?? .line, facts: facts)
        authority.authorize(request) { outcome in
            self.onLoop {
                self.answered(record.id, user, outcome)
                self.flush()
            }
        }
    }

    private func answered(_ id: SessionID, _ user: String, _ outcome: AuthorizationOutcome) {
        switch outcome {
        case .accept(var grant):
            grant.requestedName = user
            self.byID[id]?.ppp?.setup?.message = grant.authenticationMessage ?? []
            grant.authenticationMessage = nil
            self.accepted(id, grant)
        case .reject(let message): self.rejected(id, user, message)
        case .unavailable: self.unavailable(id, user)
        }
    }

    private func accepted(_ id: SessionID, _ grant: ServiceGrant) {
        guard let entry = self.byID[id] else { return }
        let profile: ServiceProfile
        do {
            profile = try self.policy.catalog.profile(of: grant)
        } catch {
            self.count(.unservable)
            self.policy.report(.unservable(user: grant.userName, problem: error))
            return self.deny(entry)
        }
        if grant.source != .garden { self.lockouts.succeeded(entry.line.withoutPPPoE) }
        guard profile.sessionsPerUser > 0, !grant.userName.isEmpty else {
            return self.admit(entry, grant, profile)
        }
        let owner = self.world.claims(of: grant.userName)
        let (limit, above) = (profile.sessionsPerUser, self.policy.aboveLimit)
        owner.loop.execute {
            let answer = owner.claim(grant.userName, session: id, limit: limit, policy: above)
            self.loop.execute {
                self.claimAnswered(id, grant, profile, answer)
                self.flush()
            }
        }
    }

    private func claimAnswered(
        _ id: SessionID, _ grant: ServiceGrant, _ profile: ServiceProfile, _ answer: UserClaims.Answer
    ) {
        guard let entry = self.byID[id], let session = entry.session, !session.isEnding else {
            // The client has gone meanwhile: nobody else would give the claim back.
            let owner = self.world.claims(of: grant.userName)
            return owner.loop.execute { owner.release(grant.userName, session: id) }
        }
        switch answer {
        case .denied:
            self.count(.overUserLimit)
            return self.deny(entry)
        case .replacing(let victims):
            for victim in victims {
                self.count(.replaced)
                self.world.end(victim, cause: .replaced)
            }
        case .granted: break
        }
        entry.hasClaim = true
        self.admit(entry, grant, profile)
    }

    private func admit(_ entry: LineEntry, _ grant: ServiceGrant, _ profile: ServiceProfile) {
        switch grant.source {
        case .garden: self.count(.gardened)
        case .cached: self.count(.servedFromCache)
        default: self.count(.authorized)
        }
        self.perform(entry, .session(.authorized(grant, sessionTimeout: profile.sessionTimeout)))
    }

    private func deny(_ entry: LineEntry) {
        entry.denial = .unavailable
        self.perform(entry, .session(.denied))
        self.forgetIfIdle(entry)
    }

    private func rejected(_ id: SessionID, _ user: String, _ message: String) {
        guard let entry = self.byID[id] else { return }
        self.count(.rejected)
        self.policy.report(.rejected(user: user, line: entry.line, message: message))
        entry.ppp?.setup?.message = Array(message.utf8)
        switch self.policy.onReject {
        case .silence: self.deny(entry)
        case .lockOut(let limit, let time):
            let now = self.world.utcNow()
            let line = entry.line.withoutPPPoE
            if let failures = self.lockouts.failed(line, after: limit, for: time, at: now) {
                self.policy.report(.lockedOut(line: line, failures: failures))
            }
            self.deny(entry)
        case .garden(let plan):
            // MS-CHAPv2 lets nobody in who cannot be told the proof of the password.
            if case .msChapV2? = self.credentials(of: entry)?.credential { return self.deny(entry) }
            entry.ppp?.setup?.message = []
            self.accepted(id, self.grant(.garden, user, plan, message))
        }
    }

    private func grant(
        _ source: ServiceGrant.Source, _ user: String, _ plan: String, _ message: String = ""
    ) -> ServiceGrant {
        var grant = ServiceGrant(source: source, userName: user)
        (grant.plan, grant.replyMessage, grant.requestedName) = (plan, message, user)
        return grant
    }

    private func unavailable(_ id: SessionID, _ user: String) {
        guard let entry = self.byID[id] else { return }
        self.count(.authorityUnavailable)
        self.policy.report(.authorityUnavailable(user: user))
        switch self.policy.onUnavailable {
        case .refuse: self.deny(entry)
        case .plan(let plan): self.accepted(id, self.grant(.cached, user, plan))
        case .lastKnown:
            self.world.store.lastGrant(of: entry.line) { grant in
                self.onLoop {
                    self.remembered(id, grant)
                    self.flush()
                }
            }
        }
    }

    private func remembered(_ id: SessionID, _ known: ServiceGrant?) {
        guard let entry = self.byID[id] else { return }
        // A password cannot be checked without AAA: the line vouches for the name it was last served under, and MS-CHAPv2,
        // whose client wants the server to prove itself, cannot be answered.
        guard var grant = known, self.mayVouch(entry, grant) else { return self.deny(entry) }
        grant.source = .cached
        self.accepted(id, grant)
    }

    private func mayVouch(_ entry: LineEntry, _ known: ServiceGrant) -> Bool {
        guard let proven = self.credentials(of: entry) else { return true }
        if case .msChapV2 = proven.credential { return false }
        return proven.name == known.requestedName
    }

    // MARK: Claims

    func releaseClaim(_ entry: LineEntry) {
        guard entry.hasClaim, let record = entry.session?.record else { return }
        entry.hasClaim = false
        let owner = self.world.claims(of: record.grant.userName)
        owner.loop.execute { owner.release(record.grant.userName, session: record.id) }
    }

    func restoreClaim(_ entry: LineEntry, _ profile: ServiceProfile) {
        guard profile.sessionsPerUser > 0, let record = entry.session?.record else { return }
        entry.hasClaim = true
        let owner = self.world.claims(of: record.grant.userName)
        owner.loop.execute { owner.restore(record.grant.userName, session: record.id) }
    }

    // MARK: Again

    /// Asks AAA about a session that exists: its time is up and AAA wants to be asked, or an operator changed the subscriber.
    func reauthenticate(_ entry: LineEntry) {
        guard let record = entry.session?.record, entry.session?.isEnding == false,
            let authority = self.policy.authority
        else { return }
        let facts = record.facts(vendorClass: entry.vendorClass)
        var request = AuthorizationRequest(
            session: record.id, userName: record.grant.requestedName ?? self.policy.userName(facts),
            credential: entry.ppp?.isProven == true ? .proven : .line, facts: facts)
        (request.state, request.chargeableUser, request.isAgain) = (
            record.grant.state, record.grant.chargeableUser, true
        )
        authority.authorize(request) { outcome in
            self.onLoop {
                self.answeredAgain(record.id, outcome)
                self.flush()
            }
        }
    }

    private func answeredAgain(_ id: SessionID, _ outcome: AuthorizationOutcome) {
        guard let entry = self.byID[id], let record = entry.session?.record else { return }
        switch outcome {
        case .accept(let grant):
            self.count(.reauthenticated)
            self.change(entry, .grant(grant)) { _ in }
        case .reject(let message):
            self.count(.rejected)
            if case .garden(let plan) = self.policy.onReject {
                let grant = self.grant(.garden, record.grant.userName, plan, message)
                self.change(entry, .grant(grant)) { _ in }
            } else {
                self.perform(entry, .session(.end(.reauthenticationFailed, at: self.world.utcNow())))
            }
        case .unavailable:
            // AAA never ends a working session by being away: it is asked again when the same time has passed once more.
            self.count(.authorityUnavailable)
            self.change(entry, .grant(record.grant)) { _ in }
        }
    }
}
