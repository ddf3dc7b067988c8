import Backbone from 'backbone';

const Base = (() => {}) as unknown as new () => Backbone.EventsMixin;
Object.assign(Base.prototype, Backbone.Events);

/** Something that tells events and is no Backbone model: its classes may have initialised fields. */
export class Emitter extends Base {}
